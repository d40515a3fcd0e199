# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The application: Invenio's REST API with the model and two users."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Flask
from invenio_records_resources.proxies import current_service_registry

from demo.config import create_small_app

from .resources import make_blueprints
from .services import make_service
from .users import accept_tokens, make_users

if TYPE_CHECKING:
    from invenio_files_rest.models import Location

    from demo.settings import Settings

USERS = ("alice", "bob")


def create_app(settings: Settings) -> Flask:
    """Return the application; the API's process and the worker have one each.

    A real instance has its settings in ``invenio.cfg``. Those for uploads are here in
    ``demo/config.py``: ``FILES_REST_STORAGE_FACTORY``, ``S3_*`` and ``CELERY_BEAT_SCHEDULE``.
    """
    # Where invenio-records-rest is installed, its default routes are at /records, too.
    app = create_small_app(settings, RECORDS_REST_ENDPOINTS={})
    accept_tokens(app)
    service = make_service()
    with app.app_context():
        # By its name a task finds the service that it works for.
        for each in (service, service.files, service.draft_files):
            current_service_registry.register(each, each.config.service_id)
    for blueprint in make_blueprints(service):
        app.register_blueprint(blueprint)
    return app


def fill_database(location: Location) -> dict[str, str]:
    """Make the users, and return their tokens; records make their own buckets."""
    return make_users(USERS)
