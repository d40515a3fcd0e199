# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The metrics, for Prometheus: shown to whoever has the token of the setting."""

from __future__ import annotations

import hmac

from flask import Response, current_app, request

from ..core.errors import MetricsNotServed, NotAuthenticated
from ..proxies import current_s3
from .errors import Resource
from .uploads import no_store


class MetricsResource(Resource):
    """``/multipart-uploads/metrics``."""

    def get(self) -> Response:
        """Show the metrics."""
        wanted, metrics = current_app.config["OAREPO_S3_METRICS_TOKEN"], current_s3.metrics
        if not wanted or metrics is None:
            raise MetricsNotServed()
        if not hmac.compare_digest(_given_token().encode(), str(wanted).encode()):
            raise NotAuthenticated()
        text, content_type = metrics()
        return no_store(Response(text, content_type=content_type))


def _given_token() -> str:
    given = request.authorization
    return (given.token or "") if given is not None and given.type == "bearer" else ""
