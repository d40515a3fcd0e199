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
from ..services import OwnedUpload, UploadSums
from .output import printed_whole

_LINE = "{:<36}  {:<10}  {:>10}  {:>8}  {:>8}  {:<24}  {}"
_SHOWN = tuple(
    column.name for column in Upload.__table__.columns if not isinstance(column.type, HiddenString)
)


def print_uploads(
    found: Iterable[OwnedUpload],
    *,
    as_json: bool,
    sums: UploadSums | None = None,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Print uploads one by one as they come, and then their sums; as JSON all of it or nothing.

    :param sums: of those that are not printed, too; None when all are.
    :param more: what JSON says beside the sums.
    """
    if as_json:
        with printed_whole() as document:
            lines = _json_lines(found, sums, more or {})
            document.writelines(f"{line}\n" for line in lines)
    else:
        for line in _lines(found, sums):
            click.echo(line)


def _lines(found: Iterable[OwnedUpload], sums: UploadSums | None) -> Iterator[str]:
    shown = UploadSums()
    for owned in found:
        if not shown.uploads:
            yield _LINE.format("ID", "STATE", "SIZE", "AGE", "LEFT", "OWNER", "KEY")
        shown.add(owned.upload)
        yield _line(owned)
    sums = sums or shown
    few = f" ({shown.uploads} shown)" if shown.uploads < sums.uploads else ""
    held = show_size(sums.bytes_held)
    yield f"{show_count(sums.uploads, 'upload')}, {held} held by those that are open{few}"


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
    found: Iterable[OwnedUpload], sums: UploadSums | None, more: Mapping[str, Any]
) -> Iterator[str]:
    """Write one JSON document, piece by piece: it need not fit into memory."""
    yield '{"uploads": ['
    shown = UploadSums()
    before: str | None = None
    for owned in found:
        shown.add(owned.upload)
        if before is not None:
            yield f"{before},"
        before = json.dumps(dump_owned(owned))
    if before is not None:
        yield before
    sums = sums or shown
    last = {
        "count": sums.uploads,
        "bytes": sums.bytes,
        "bytes_held": sums.bytes_held,
        **more,
    }
    yield f"], {json.dumps(last)[1:]}"


def dump_owned(owned: OwnedUpload) -> dict[str, Any]:
    """Write all fields of an upload but its secrets."""
    fields = {name: _plain(getattr(owned.upload, name)) for name in _SHOWN}
    return {**fields, "owner": owned.owner}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return isoformat(value)
    return value if value is None or isinstance(value, int) else str(value)
