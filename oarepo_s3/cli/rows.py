# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads as commands print them: a line each for people, all fields for machines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

import click

from ..core.names import fit_name
from ..core.quantities import show_count, show_duration, show_size
from ..core.times import isoformat, utcnow
from ..models import HiddenString, Upload
from ..services import OwnedUpload
from .output import printed_whole

_LINE = "{:<36}  {:<10}  {:>10}  {:>8}  {:>8}  {:<24}  {}"
_SHOWN = tuple(
    column.name for column in Upload.__table__.columns if not isinstance(column.type, HiddenString)
)


class Totals:
    """How many uploads were printed, and what they hold."""

    def __init__(self) -> None:
        self.uploads = 0
        self.bytes = 0
        self.bytes_held = 0
        """Bytes of those that have not ended: their parts may lie at the store, and their room in
        the bucket is taken."""

    def add(self, upload: Upload) -> None:
        """Count one."""
        self.uploads += 1
        self.bytes += upload.size
        self.bytes_held += 0 if upload.has_ended else upload.size


def print_uploads(
    found: Iterable[OwnedUpload], *, as_json: bool, more: Mapping[str, Any] | None = None
) -> Totals:
    """Print uploads one by one as they come, and then their sums; as JSON all of it or nothing.

    :param more: what JSON says beside the sums.
    """
    totals = Totals()
    if as_json:
        with printed_whole() as document:
            lines = _json_lines(found, totals, more or {})
            document.writelines(f"{line}\n" for line in lines)
    else:
        for line in _lines(found, totals):
            click.echo(line)
    return totals


def _lines(found: Iterable[OwnedUpload], totals: Totals) -> Iterator[str]:
    for owned in found:
        if not totals.uploads:
            yield _LINE.format("ID", "STATE", "SIZE", "AGE", "LEFT", "OWNER", "KEY")
        totals.add(owned.upload)
        yield _line(owned)
    held = show_size(totals.bytes_held)
    yield f"{show_count(totals.uploads, 'upload')}, {held} held by those that are open"


def _line(owned: OwnedUpload) -> str:
    upload, now = owned.upload, utcnow()
    left = upload.expires_at - now
    return _LINE.format(
        str(upload.id),
        upload.state,
        show_size(upload.size),
        show_duration(now - upload.created_at),
        "-" if upload.has_ended else "over" if upload.is_expired(now) else show_duration(left),
        owner_name(owned),
        # A name may hold what terminals take for orders.
        fit_name(upload.key),
    )


def owner_name(owned: OwnedUpload) -> str:
    """Name whoever began an upload; users that are gone have their number left."""
    if owned.upload.user_id is None:
        return "-"
    return fit_name(owned.owner) if owned.owner else f"user {owned.upload.user_id}"


def _json_lines(
    found: Iterable[OwnedUpload], totals: Totals, more: Mapping[str, Any]
) -> Iterator[str]:
    """Write one JSON document, piece by piece: it need not fit into memory."""
    yield '{"uploads": ['
    before: str | None = None
    for owned in found:
        totals.add(owned.upload)
        if before is not None:
            yield f"{before},"
        before = json.dumps(dump_owned(owned))
    if before is not None:
        yield before
    sums = {
        "count": totals.uploads,
        "bytes": totals.bytes,
        "bytes_held": totals.bytes_held,
        **more,
    }
    yield f"], {json.dumps(sums)[1:]}"


def dump_owned(owned: OwnedUpload) -> dict[str, Any]:
    """Write all fields of an upload but its secrets."""
    fields = {name: _plain(getattr(owned.upload, name)) for name in _SHOWN}
    return {**fields, "owner": owned.owner}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    return value if value is None or isinstance(value, int) else str(value)
