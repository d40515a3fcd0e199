# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Aware UTC times, and the one way they are written on the wire."""

from __future__ import annotations

from datetime import UTC, datetime


def utcnow() -> datetime:
    """Return the current time, aware, in UTC."""
    return datetime.now(UTC)


def isoformat(moment: datetime) -> str:
    """Write an aware time as ISO 8601 in UTC, to the second, ending in ``Z``.

    :raises ValueError: for a naive time: guessing its zone would hide a bug.
    """
    if moment.tzinfo is None:
        raise ValueError("A time without a zone cannot be written: pass an aware datetime.")
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
