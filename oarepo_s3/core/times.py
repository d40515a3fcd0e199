# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Aware UTC times, and the one way they are written on the wire."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


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


def in_words(span: timedelta) -> str:
    """Write a span of time for people, in the largest unit that it fills: ``3 days``."""
    seconds = max(0, int(span.total_seconds()))
    for unit, length in (("day", 86_400), ("hour", 3600), ("minute", 60)):
        count = seconds // length
        if count:
            return f"{count} {unit}{'s' if count > 1 else ''}"
    return "less than a minute"
