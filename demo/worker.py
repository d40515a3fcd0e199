# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The worker's Celery application: ``celery -A demo.worker worker --beat``."""

from __future__ import annotations

from typing import Any

from celery.signals import worker_ready
from flask_celeryext import create_celery_app

from .settings import Settings

settings = Settings.from_environment()
celery = create_celery_app(settings.load_application().create_app(settings))


@worker_ready.connect
def tell_parent(**kwargs: Any) -> None:
    """Say that tasks are taken from now on."""
    settings.ready_file.touch()
