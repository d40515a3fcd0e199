# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The parts of an open upload: URLs to send them, and what the store has of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from ..backends import PartPage, PartSigner
from ..core.digests import Digest
from ..core.errors import (
    InvalidRequest,
    StoreUnavailable,
    StoreUploadGone,
    UploadExpired,
    UploadNotPending,
)
from ..core.parts import UploadedPart
from ..core.states import UploadState
from ..core.times import isoformat, utcnow
from ..models import Upload
from ..proxies import current_s3
from .complete import settle_gone
from .stored import StoredUpload
from .transactions import end_transaction

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PartUrl:
    """A URL that takes one part by PUT, until an aware UTC time.

    The URL is a right in itself: it is left out of the repr, and so of logs and tracebacks.

    :param headers: what has to be sent with it, because the URL is signed for it.
    """

    part: int
    url: str = field(repr=False)
    expires_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)


def sign_parts(
    upload: Upload, parts: Iterable[int], digests: Mapping[int, Digest] | None = None
) -> list[PartUrl]:
    """Return fresh URLs for parts of an open upload.

    :param parts: part numbers within the plan.
    :param digests: by part, what its URL shall insist on: the store refuses any other content.
    :raises InvalidRequest: for a digest that the store does not check.
    :raises UploadNotPending: when the upload takes no parts any more.
    :raises UploadExpired: when its time has run out.
    :raises StoreUnavailable: while the parts are copied from what came by temporary keys.
    """
    digests = digests or {}
    able = part_checksums(upload)
    for digest in digests.values():
        if digest.algorithm not in able:
            raise InvalidRequest(
                reason=f"parts of this upload are checked by {', '.join(able) or 'nothing'},"
                f" not by {digest.algorithm}"
            )
    now = utcnow()
    signer = part_signer(upload, now)
    expires_at = now + signer.expires_in
    return [_part_url(signer, part, expires_at, digests.get(part)) for part in parts]


def part_checksums(upload: Upload) -> list[str]:
    """Return the algorithms in which the store checks a part of the upload, if it is asked to."""
    told = {"md5", upload.store_checksum}
    return sorted(current_s3.store(upload.uri).profile.part_checksums & told)


def first_window(upload: Upload) -> range:
    """Return the parts whose URLs an answer carries without being asked."""
    return range(1, min(upload.num_parts, current_s3.settings.url_window) + 1)


def parts_after(upload: Upload, part: int, most: int | None = None) -> str:
    """Return the parts that follow, such as ``26-1025``; an empty text when none do.

    :param part: the last part that is known already; 0 for none.
    :param most: how many; None for as many as one call gives URLs of.
    """
    last = min(upload.num_parts, part + (most or current_s3.settings.max_urls))
    return f"{part + 1}-{last}" if part < last else ""


def part_signer(upload: Upload, now: datetime) -> PartSigner:
    """Return a signer for the upload's parts; its URLs end with the upload at the latest.

    :raises StoreUnavailable: while the parts are copies of what came by temporary keys: one that
        was sent would be mixed with them.
    """
    lifetime = url_lifetime(upload, now)
    if upload.staged_etag is not None:
        raise StoreUnavailable(reason="the file came by temporary keys and is just being copied")
    return StoredUpload.of(upload).signer(lifetime)


def url_lifetime(upload: Upload, now: datetime) -> timedelta:
    """Return how long what is signed now may be used to send the file.

    :raises UploadNotPending: when the upload takes nothing any more.
    :raises UploadExpired: when its time has run out.
    """
    require_pending(upload, now)
    lifetime = min(current_s3.settings.part_url_lifetime, upload.expires_at - now)
    return max(lifetime, timedelta(seconds=1))


def require_pending(upload: Upload, now: datetime) -> None:
    """Refuse to hand out anything for an upload that takes nothing any more.

    :raises UploadNotPending: when it has ended, or is just ending.
    :raises UploadExpired: when its time has run out.
    """
    if upload.state != UploadState.PENDING:
        raise UploadNotPending(state=upload.state)
    if upload.is_expired(now):
        raise UploadExpired(expires_at=isoformat(upload.expires_at))


def _part_url(
    signer: PartSigner, part: int, expires_at: datetime, digest: Digest | None
) -> PartUrl:
    if digest is None:
        return PartUrl(part, signer.sign(part), expires_at)
    url, headers = signer.sign_checked(part, digest)
    return PartUrl(part, url, expires_at, headers)


def uploaded_parts(upload: Upload, *, after: int, limit: int) -> PartPage:
    """Return what the store has of an upload that is still open, by part number.

    :raises UploadNotPending: when the upload is not open.
    :raises UploadLost: when the store has dropped it; the upload has then failed.
    """
    return _ask(upload, lambda stored: stored.parts_after(after, limit))


def every_part(upload: Upload) -> list[UploadedPart]:
    """Return all parts that the store has, and those of a completed upload as they have to be.

    For clients that ask for the parts before they complete, also when it is for the second time: a
    file that is there is no reason to send anything again. Raises as :func:`uploaded_parts`.
    """
    if upload.state != UploadState.COMPLETED:
        return _ask(upload, StoredUpload.all_parts)
    plan = upload.plan
    return [
        UploadedPart(part, plan.size_of(part), upload.etag) for part in range(1, plan.num_parts + 1)
    ]


def _ask(upload: Upload, question: Callable[[StoredUpload], T]) -> T:
    if upload.state not in (UploadState.PENDING, UploadState.COMPLETING):
        raise UploadNotPending(state=upload.state)
    stored = StoredUpload.of(upload)
    end_transaction()
    try:
        return question(stored)
    except StoreUploadGone as error:
        # Ended while the store was asked, or dropped there without our doing.
        settle_gone(upload, error)
        raise UploadNotPending(state=upload.state) from error
