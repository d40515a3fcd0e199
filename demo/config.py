# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The settings of an application on this machine alone: Invenio's REST API with SQLite."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from flask import Flask
from invenio_app.factory import create_api

from .settings import Settings

LOCK_TIMEOUT = 30
"""Seconds that a request waits for another's transaction."""


def create_small_app(settings: Settings, **more: Any) -> Flask:
    """Return an application with ``more`` settings of its own."""
    app: Flask = create_api(
        SECRET_KEY=settings.secret,
        SITE_API_URL=settings.api,
        SITE_UI_URL=settings.api,
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{settings.database}",
        SQLALCHEMY_ENGINE_OPTIONS={"connect_args": {"timeout": LOCK_TIMEOUT}},
        FILES_REST_STORAGE_FACTORY="oarepo_s3.storage.s3_storage_factory",
        FILES_REST_STORAGE_CLASS_LIST={"S": "Standard"},
        FILES_REST_DEFAULT_STORAGE_CLASS="S",
        REST_CSRF_ENABLED=False,
        APP_ENABLE_SECURE_HEADERS=False,
        RATELIMIT_ENABLED=False,
        S3_ENDPOINT_URL=settings.store,
        S3_ACCESS_KEY_ID=settings.access_key,
        S3_SECRET_ACCESS_KEY=settings.secret_key,
        S3_REGION_NAME="us-east-1",
        CACHE_TYPE="SimpleCache",
        ACCOUNTS_SESSION_REDIS_URL=settings.broker,
        # invenio-celery has a default for either name, and Celery takes the first.
        BROKER_URL=settings.broker,
        CELERY_BROKER_URL=settings.broker,
        CELERY_RESULT_BACKEND=settings.broker,
        CELERY_BEAT_SCHEDULE={
            "drop-expired-uploads": {
                "task": "oarepo_s3.tasks.cleanup_expired_multipart_uploads",
                "schedule": timedelta(minutes=1),
            },
            "finish-interrupted-uploads": {
                "task": "oarepo_s3.tasks.recover_interrupted_multipart_uploads",
                "schedule": timedelta(minutes=1),
            },
            "verify-checksums": {
                "task": "oarepo_s3.tasks.verify_declared_checksums",
                "schedule": timedelta(minutes=1),
            },
            "drop-orphaned-uploads": {
                "task": "oarepo_s3.tasks.sweep_orphaned_multipart_uploads",
                "schedule": timedelta(days=1),
                "kwargs": {"dry_run": False},
            },
        },
        **more,
    )
    return app


@sa.event.listens_for(sa.Engine, "connect")
def _prepare(connection: Any, record: Any) -> None:
    """Let SQLAlchemy, not the driver, begin transactions: otherwise savepoints keep their rows."""
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        # Nothing outlives the demo: no need to wait for the disk.
        connection.execute("PRAGMA synchronous=OFF")


@sa.event.listens_for(sa.Engine, "begin")
def _begin(connection: Any) -> None:
    """Take the write lock at once, and wait for it.

    A transaction that reads first and writes later cannot wait: when another has written meanwhile,
    SQLite fails it with "database is locked".
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
