# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The operator's commands, in invenio-s3's own group: ``invenio s3``."""

from __future__ import annotations

from invenio_s3.cli import s3

from . import bucket, check, credentials, policy, scopes, setup, sync, uploads

__all__ = ("bucket", "check", "credentials", "policy", "s3", "scopes", "setup", "sync", "uploads")
