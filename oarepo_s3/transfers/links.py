# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Part links in the answers of record services: all of them while they are few.

A client that knows nothing of windows finds every link, as long as the file has no more parts than
``OAREPO_S3_PART_LINKS``. A longer file shows its first parts, and where to ask for the others. So
does each file of a list in which several uploads are in progress, except for those that the call
itself has just opened: a list carries no more links than a single file may.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import has_request_context, request
from invenio_records_resources.services.files.transfer import MULTIPART_TRANSFER_TYPE

from ..api import address_of
from ..core.errors import InvalidRequest
from ..core.states import UploadState
from ..core.times import isoformat, utcnow
from ..models import Upload
from ..proxies import current_s3
from ..services import parts_after, sign_parts

QUERY = "part_links"
"""Name in the query of the number of links that a client wants at most."""


def part_links(upload: Upload, file_record: Any, record: Any) -> dict[str, Any]:
    """Return the links of an upload in progress.

    ``parts`` is a list of ``{"part", "url", "expiration"}``. Where these are not all, or the query
    asks for a number of them, there are also ``upload`` (the session), ``uploaded_parts`` (what the
    store has), ``part_urls`` (fresh URLs of any parts) and ``next_parts`` (of those that follow).

    :raises InvalidRequest: when the query asks for something that is no number.
    """
    # Content that is not there yet has no link.
    links: dict[str, Any] = {"content": None}
    if upload.state != UploadState.PENDING or upload.is_expired(utcnow()):
        return links
    if upload.staged_etag is not None:
        # It is copied from what came by temporary keys: nobody sends parts meanwhile.
        return links
    asked = _asked()
    count = _count(upload, asked, _Answer.about(file_record, record))
    links["parts"] = [
        {"part": signed.part, "url": signed.url, "expiration": isoformat(signed.expires_at)}
        for signed in sign_parts(upload, range(1, count + 1))
    ]
    if asked is not None or count < upload.num_parts:
        address = address_of(upload)
        links |= {
            "upload": address,
            "uploaded_parts": f"{address}/parts",
            "part_urls": f"{address}/urls",
        }
        following = parts_after(upload, count)
        if following:
            links["next_parts"] = f"{address}/urls?parts={following}"
    return links


def _asked() -> int | None:
    """Read from the query how many links the client wants; None when it does not say."""
    asked = request.args.get(QUERY) if has_request_context() else None
    if asked is None:
        return None
    if not (asked.isascii() and asked.isdigit()):
        raise InvalidRequest(reason=f"{QUERY} is a number of links, such as {QUERY}=25")
    # More digits than any number of parts has, and fewer than Python refuses to read.
    return int(asked[:9])


@dataclass(frozen=True, slots=True)
class _Answer:
    """How many uploads an answer is about, and whether all links of this one belong into it."""

    uploads: int
    shows_all: bool

    @classmethod
    def about(cls, file_record: Any, record: Any) -> _Answer:
        if not has_request_context() or "key" in (request.view_args or {}):
            return cls(1, True)
        in_progress = [
            file
            for file in record.files.values()
            if file.transfer.transfer_type == MULTIPART_TRANSFER_TYPE
        ]
        opened = [file for file in in_progress if getattr(file, "opened_now", False)]
        if not opened:
            return cls(len(in_progress), len(in_progress) <= 1)
        parts = sum(file.transfer["parts"] for file in opened)
        fits = parts <= current_s3.settings.part_links
        return cls(len(in_progress), fits and any(file is file_record for file in opened))


def _count(upload: Upload, asked: int | None, answer: _Answer) -> int:
    """Return how many links are shown of an upload."""
    settings = current_s3.settings
    share = settings.part_links // max(1, answer.uploads)
    if asked is not None:
        return min(upload.num_parts, asked, share)
    if answer.shows_all and upload.num_parts <= settings.part_links:
        return int(upload.num_parts)
    return min(upload.num_parts, settings.url_window, share)
