# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The demo's own error."""

from __future__ import annotations


class DemoError(Exception):
    """A step failed; the message says what was wrong."""
