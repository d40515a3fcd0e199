# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The demo's own application: one bucket, in which everybody may do everything."""

from __future__ import annotations

from typing import Any

from flask import Flask
from invenio_accounts.proxies import current_datastore
from invenio_files_rest.models import Bucket, Location

from .config import create_small_app
from .page import add_page
from .settings import Settings

_USER = "demo@example.org"


def create_app(settings: Settings) -> Flask:
    """Return the application; the API's process and the worker have one each."""
    # Nobody logs in: whoever can reach the demo may do everything in it, as its only user.
    app = create_small_app(settings, FILES_REST_PERMISSION_FACTORY=allow_all)
    app.login_manager.request_loader(lambda _: current_datastore.find_user(email=_USER))
    add_page(app)
    return app


def fill_database(location: Location) -> dict[str, str]:
    """Make the bucket to upload to, and return its id.

    The user is for upload tokens, which have to belong to somebody.
    """
    current_datastore.create_user(email=_USER, active=True)
    return {"bucket": str(Bucket.create(location=location).id)}


class _Allowed:
    def can(self) -> bool:
        return True


def allow_all(obj: Any, action: str) -> _Allowed:
    """Permit every action on everything."""
    return _Allowed()
