# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Proxies to the state of the current application."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import current_app
from werkzeug.local import LocalProxy

if TYPE_CHECKING:
    from .services.context import UploadContext

current_s3: UploadContext = LocalProxy(lambda: current_app.extensions["oarepo-s3"])  # type: ignore[assignment]
"""The settings and stores of the current application."""
