# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The parts of an open upload: URLs to send them, and what the store has of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..backends import ObjectStore, PartPage, PartSigner, PresignsParts
from ..core.errors import StoreMisconfigured, UploadExpired, UploadLost, UploadNotPending
from ..core.parts import UploadedPart
from ..core.states import UploadState
from ..core.times import isoformat, utcnow
from ..core.uris import ObjectURI
from ..models import Upload
from ..proxies import current_s3


@dataclass(frozen=True, slots=True)
class PartUrl:
    """A URL that takes one part by PUT, until an aware UTC time."""

    part: int
    url: str
    expires_at: datetime


def sign_parts(upload: Upload, parts: Iterable[int]) -> list[PartUrl]:
    """Return fresh URLs for parts of an open upload.

    :param parts: part numbers within the plan.
    :raises UploadNotPending: when the upload takes no parts any more.
    :raises UploadExpired: when its time has run out.
    """
    now = utcnow()
    signer = part_signer(upload, now)
    expires_at = now + signer.expires_in
    return [PartUrl(part, signer.sign(part), expires_at) for part in parts]


def first_window(upload: Upload) -> range:
    """Return the parts whose URLs an answer carries without being asked."""
    return range(1, min(upload.num_parts, current_s3.settings.url_window) + 1)


def part_signer(upload: Upload, now: datetime) -> PartSigner:
    """Return a signer for the upload's parts; its URLs end with the upload at the latest."""
    if upload.state != UploadState.PENDING:
        raise UploadNotPending(state=upload.state)
    if upload.is_expired(now):
        raise UploadExpired(expires_at=isoformat(upload.expires_at))
    store = current_s3.store(upload.uri)
    if not isinstance(store, PresignsParts):
        raise StoreMisconfigured(reason="this back end cannot sign part URLs")
    lifetime = min(current_s3.settings.part_url_lifetime, upload.expires_at - now)
    return store.part_signer(
        object_key(upload), opened_id(upload), lifetime=max(lifetime, timedelta(seconds=1))
    )


def uploaded_parts(upload: Upload, *, after: int, limit: int) -> PartPage:
    """Return what the store has of an upload that is still open, by part number.

    :raises UploadNotPending: when the upload is not open.
    """
    if upload.state not in (UploadState.PENDING, UploadState.COMPLETING):
        raise UploadNotPending(state=upload.state)
    store = current_s3.store(upload.uri)
    return store.list_parts(object_key(upload), opened_id(upload), after=after, limit=limit)


def all_parts(store: ObjectStore, upload: Upload) -> list[UploadedPart]:
    """Return all parts that the store has, a page at a time."""
    return [part for page in _pages(store, upload) for part in page.parts]


def object_key(upload: Upload) -> str:
    """Return the object's key at the store."""
    return ObjectURI.parse(upload.uri).key


def opened_id(upload: Upload) -> str:
    """Return the store's id of the upload.

    :raises UploadLost: when the server stopped before it had learnt the id.
    """
    if upload.store_upload_id is None:
        raise UploadLost(reason="it was never opened there")
    return str(upload.store_upload_id)


def _pages(store: ObjectStore, upload: Upload) -> Iterator[PartPage]:
    key, upload_id = object_key(upload), opened_id(upload)
    page = store.list_parts(key, upload_id)
    yield page
    while page.more:
        page = store.list_parts(key, upload_id, after=page.parts[-1].part)
        yield page
