# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Times, sizes and numbers as people write and read them: ``2d``, ``5GiB``, ``1 upload``."""

from __future__ import annotations

import re
from datetime import timedelta
from itertools import pairwise

from .planning import GIB, MIB, TIB

SECONDS = {"w": 7 * 24 * 3600, "d": 24 * 3600, "h": 3600, "m": 60, "s": 1}
"""Units of times, the largest first."""

BYTES = {"TiB": TIB, "GiB": GIB, "MiB": MIB, "KiB": 2**10}
"""Units of sizes, the largest first."""

LONGEST = timedelta(days=36_500)
"""The longest time: so long ago is a date on every calendar, and before all that is in a table."""

LARGEST = 2**63 - 1
"""The largest size in bytes: a column has no room for more."""

_DURATION = re.compile(r"([0-9]{1,9})([wdhms])\Z", re.ASCII)
_SIZE = re.compile(r"([0-9]{1,18})\s*(?:([kmgt])(?:i?b)?|b)?\Z", re.ASCII | re.IGNORECASE)


def parse_duration(text: str) -> timedelta:
    """Read ``90s``, ``15m``, ``12h``, ``2d`` or ``1w``.

    :raises ValueError: for anything else.
    """
    match = _DURATION.match(text.strip().lower())
    if not match:
        raise ValueError(f"{text!r} is no time such as 90s, 15m, 12h, 2d or 1w")
    seconds = int(match[1]) * SECONDS[match[2]]
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text!r} is too long")
    return timedelta(seconds=seconds)


def parse_size(text: str) -> int:
    """Read ``1000``, ``64KiB``, ``16MiB``, ``5GiB`` or ``1TiB`` as bytes; ``5G`` and ``5GB`` too.

    :raises ValueError: for anything else.
    """
    match = _SIZE.match(text.strip())
    if not match:
        raise ValueError(f"{text!r} is no size such as 1000, 64KiB, 16MiB, 5GiB or 1TiB")
    factor = BYTES[f"{match[2].upper()}iB"] if match[2] else 1
    size = int(match[1]) * factor
    if size > LARGEST:
        raise ValueError(f"{text!r} is too large")
    return size


def show_duration(time: timedelta) -> str:
    """Write a time in its two largest units, rounded down: ``2d 5h``, ``1h``; never below 0."""
    seconds = max(0, int(time.total_seconds()))
    for unit, smaller in pairwise("dhms"):
        count, rest = divmod(seconds, SECONDS[unit])
        if count:
            more = rest // SECONDS[smaller]
            return f"{count}{unit} {more}{smaller}" if more else f"{count}{unit}"
    return f"{seconds}s"


def show_size(size: int) -> str:
    """Write a number of bytes in its largest unit: ``5.0 GiB``, ``12 B``."""
    for unit, factor in BYTES.items():
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} B"


def show_count(number: int, noun: str) -> str:
    """Write how many there are of something: ``1 upload``, ``2 uploads``.

    :param noun: for one of them; several have an ``s`` at the end.
    """
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
