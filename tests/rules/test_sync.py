# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the tests of the commands take from those of syncs."""

from __future__ import annotations

from .sync.conftest import _no_older_scopes, put, scope, target
from .sync.reports import NAME, PREFIX

__all__ = ("NAME", "PREFIX", "_no_older_scopes", "put", "scope", "target")
