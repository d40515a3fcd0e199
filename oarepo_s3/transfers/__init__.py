# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where invenio-records-resources meets the sessions: its transfer type "M"."""

from __future__ import annotations

from .forms import commit_form
from .multipart import MultipartTransfer

__all__ = ("MultipartTransfer", "commit_form")
