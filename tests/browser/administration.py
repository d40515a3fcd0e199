# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The pages of an instance's administration, and what stands on them."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Mapping
from typing import Any

from flask import Flask
from invenio_app.config import APP_DEFAULT_SECURE_HEADERS as SECURE_HEADERS
from invenio_app.factory import create_ui
from playwright.sync_api import Locator, Page

from ..people import key_of
from .test_accessibility import PICTURES

LIST = "/admin/oarepo_s3_uploads/"


class NoBundles:
    """Stands in for what webpack has built: the administration takes nothing of it."""

    def load(self, path: str) -> Mapping[str, str]:
        """Return no bundle."""
        return {}


def create_pages(api: Flask) -> Flask:
    """Make the application of an instance's pages, on the database of its API."""
    shared = ("SQLALCHEMY_", "S3_", "OAREPO_S3_", "FILES_REST_", "SESSION_COOKIE_")
    given = {name: value for name, value in api.config.items() if name.startswith(shared)}
    # As in tests/conftest.py: invenio-base sets warning filters of its own.
    with warnings.catch_warnings():
        return create_ui(
            **given,
            SECRET_KEY=api.secret_key,
            CACHE_TYPE="SimpleCache",
            RATELIMIT_ENABLED=False,
            CELERY_TASK_ALWAYS_EAGER=True,
            WEBPACKEXT_MANIFEST_LOADER=NoBundles,
            # That of Flask-Admin itself, whose styles and scripts need no bundle.
            ADMIN_BASE_TEMPLATE="",
            APP_DEFAULT_SECURE_HEADERS={**SECURE_HEADERS, "force_https": False},
        )


def rows(page: Page) -> list[str]:
    """Return the names of the files in the list."""
    return page.locator("td.col-key").all_inner_texts()


def field(page: Page, name: str) -> Locator:
    """Return what stands beside a name on the page of an upload."""
    return page.locator(f"tr:has(> th:text-is('{name}')) > td")


def picture(page: Page, name: str) -> None:
    """Write a picture, if pictures are wanted."""
    if PICTURES:
        page.locator(".container").screenshot(path=f"{PICTURES}/admin-{name}.png")


def open_at(store: Any, upload: dict[str, Any]) -> list[Any]:
    """Return what the store has of an upload; rclone has no empty list."""
    key = key_of(upload["urls"][0]["url"])
    client = store.client()
    with contextlib.suppress(client.exceptions.NoSuchUpload):
        return client.list_multipart_uploads(Bucket=store.bucket, Prefix=key).get("Uploads", [])
    return []
