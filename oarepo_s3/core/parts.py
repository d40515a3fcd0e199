# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Parts as the store has them, as a client claims them, and what has to be true of both."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .checksums import strip_etag
from .digests import Digest
from .errors import (
    ETagMismatch,
    InvalidRequest,
    MissingParts,
    PartOutOfRange,
    PartSizeMismatch,
    TooManyParts,
)
from .planning import PartPlan

SHOWN = 20
"""How many parts an error names: an answer does not grow with the number of parts."""

_RANGE = re.compile(r"([0-9]{1,6})(?:-([0-9]{1,6}))?\Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class UploadedPart:
    """A part as the store has it.

    :param size: bytes.
    :param etag: without quotes.
    :param checksum: what the store itself computed, where it keeps checksums of parts.
    """

    part: int
    size: int
    etag: str
    checksum: Digest | None = None


def parse_part_ranges(text: str, *, num_parts: int, most: int) -> list[int]:
    """Read ``1-100,205`` into part numbers, in the order given, each once.

    :param text: comma-separated part numbers and inclusive ranges.
    :param num_parts: the upload's last part number.
    :param most: how many parts one call may ask for.
    :raises InvalidRequest: when the text is no list of ranges.
    :raises PartOutOfRange: for a part that the upload does not have.
    :raises TooManyParts: for more than ``most`` parts.
    """
    parts: dict[int, None] = {}
    asked = 0
    for piece in text.split(","):
        match = _RANGE.match(piece.strip())
        if not match:
            raise InvalidRequest(reason=f"{piece.strip()[:40]!r} is no part number or range")
        first, last = int(match[1]), int(match[2] or match[1])
        for number in (first, last):
            if not 1 <= number <= num_parts:
                raise PartOutOfRange(part=number, num_parts=num_parts)
        if first > last:
            raise InvalidRequest(reason=f"the range {first}-{last} runs backwards")
        asked += last - first + 1
        if asked > most:
            raise TooManyParts(asked=asked, most=most)
        parts.update(dict.fromkeys(range(first, last + 1)))
    return list(parts)


def check_claims(plan: PartPlan, claims: Mapping[int, str]) -> None:
    """Check a client's list of parts against the plan.

    :param claims: ETag (quoted or not) by part number.
    :raises PartOutOfRange: for a part that the plan does not have.
    :raises MissingParts: when parts are left out.
    """
    for part in claims:
        plan.size_of(part)
    _require_all(plan, claims)


def check_uploaded(
    plan: PartPlan, uploaded: Sequence[UploadedPart], claims: Mapping[int, str] | None = None
) -> None:
    """Check what the store has against the plan and, when given, the client's claims.

    The store is right about what was uploaded; a claim can only add doubt, never remove it.

    :raises MissingParts: when the store lacks parts.
    :raises PartOutOfRange: when the store has a part that was never planned: such an upload
        cannot be completed, because some stores refuse to leave out an uploaded part. Also when
        such a part is claimed.
    :raises PartSizeMismatch: when a part has the wrong size.
    :raises ETagMismatch: when a claimed ETag is not the store's.
    """
    found = {part.part: part for part in uploaded}
    _require_all(plan, found)
    _raise_for(
        PartSizeMismatch,
        (
            (part.part, f"expected {plan.size_of(part.part)} bytes, the store has {part.size}")
            for part in uploaded
            if part.size != plan.size_of(part.part)
        ),
    )
    if claims is not None:
        for part in claims:
            plan.size_of(part)
        _raise_for(
            ETagMismatch,
            (
                (part, f"the store has {found[part].etag}")
                for part, etag in claims.items()
                if strip_etag(etag) != found[part].etag
            ),
        )


def describe(parts: Iterable[int]) -> str:
    """Name parts as ranges, ``1-3, 7``, and stop after some."""
    ranges: list[list[int]] = []
    for part in sorted(parts):
        if ranges and part == ranges[-1][1] + 1:
            ranges[-1][1] = part
        else:
            ranges.append([part, part])
    named = [f"{a}" if a == b else f"{a}-{b}" for a, b in ranges[:SHOWN]]
    return ", ".join(named) + (" and more" if len(ranges) > SHOWN else "")


def _require_all(plan: PartPlan, present: Iterable[int]) -> None:
    missing = set(range(1, plan.num_parts + 1)).difference(present)
    if missing:
        raise MissingParts(
            count=len(missing),
            num_parts=plan.num_parts,
            parts=describe(missing),
            errors=[
                {"field": f"parts.{part}", "message": "missing"} for part in sorted(missing)[:SHOWN]
            ],
        )


def _raise_for(
    error: type[PartSizeMismatch | ETagMismatch], wrong: Iterable[tuple[int, str]]
) -> None:
    found = sorted(wrong)
    if not found:
        return
    details: list[dict[str, Any]] = [
        {"field": f"parts.{part}", "message": message} for part, message in found[:SHOWN]
    ]
    raise error(parts=describe(part for part, _ in found), errors=details)
