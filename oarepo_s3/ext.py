# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The Flask extension."""

from __future__ import annotations

import logging
import os

from flask import Flask

from . import config
from .backends.redact import redact_logs
from .services.context import UploadContext
from .signals import after_upload_complete

logger = logging.getLogger(__name__)


class OARepoS3:
    """Direct multipart uploads for an Invenio application.

    :param app: the application; or call :meth:`init_app` later.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Set the default settings, mask the libraries' logs and register the extension.

        :raises RuntimeError: when the application has the extension already.
        """
        if "oarepo-s3" in app.extensions:
            raise RuntimeError(
                "OARepoS3 is registered on this application already: an installed oarepo-s3 is"
                " loaded by its entry point, so remove the second call of init_app()."
            )
        self._init_config(app)
        context = app.extensions["oarepo-s3"] = UploadContext(app)
        self._init_transfers(app, context)
        self._init_metrics(app, context)
        redact_logs(app.name)

    def _init_config(self, app: Flask) -> None:
        for name in dir(config):
            if name.startswith("OAREPO_S3_"):
                app.config.setdefault(name, getattr(config, name))
        # invenio-s3 reads its settings once, at first use: the other names have to be mapped
        # before that.
        for other, name in config.INVENIO_S3_NAMES.items():
            value = os.environ.get(other) or app.config.get(other)
            if value:
                app.config[name] = value

    def _init_transfers(self, app: Flask, context: UploadContext) -> None:
        """Put our transfer "M" in the place of records-resources' own, where that is installed.

        The setting may still be its default, which records-resources only sets if it is not there.
        """
        try:
            from invenio_records_resources import config as records_resources
        except ImportError:
            return
        transfers = app.config.get(
            "RECORDS_RESOURCES_TRANSFERS", records_resources.RECORDS_RESOURCES_TRANSFERS
        )
        app.config["RECORDS_RESOURCES_TRANSFERS"] = [
            config.MULTIPART_TRANSFER if transfer in config.STOCK_MULTIPART_TRANSFERS else transfer
            for transfer in transfers
        ]
        from .transfers.forms import commit_form

        # Here, and not when a transfer is used first: a worker completes forms without using any.
        after_upload_complete.connect(commit_form)
        context.commit_form = commit_form

    def _init_metrics(self, app: Flask, context: UploadContext) -> None:
        """Let calls to the store be counted, where somebody may ask for the counts."""
        if not app.config["OAREPO_S3_METRICS_TOKEN"]:
            return
        try:
            from . import metrics
        except ImportError:
            logger.warning(
                "OAREPO_S3_METRICS_TOKEN is set, but no metrics are served: install"
                " oarepo-s3[metrics].",
                extra={"action": "metrics_missing"},
            )
            return
        context.observer = metrics.observe
        context.metrics = metrics.render
