# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The other side of the sweep: what the store holds and no session knows.

An assignment that was rolled back, a database restored from a backup, parts that arrived while
their upload was aborted: the store keeps (and bills) them for ever. They are found by the store's
own list of uploads, and only those whose key bears this instance's mark are ours to touch.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import islice
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import Location

from ..backends import ListsUploads, ObjectStore, OpenUpload
from ..core.errors import InvalidLocation, StoreError, StoreUploadGone
from ..core.states import FINAL_STATES
from ..core.times import isoformat, utcnow
from ..core.uris import ObjectURI
from ..models import Upload
from ..proxies import current_s3
from .batches import side_by_side
from .create import object_uri
from .runs import recorded
from .stored import abort_until_gone, all_parts
from .transactions import end_transaction

logger = logging.getLogger(__name__)

PAGE = 500
"""How many uploads are compared with the database at a time."""


@dataclass(slots=True)
class OrphanCounts:
    """What was found at the stores, in uploads and bytes.

    ``bytes`` is what the found ones hold (what was reclaimed, unless it was a dry run); ``failed``
    ones are tried again next time. ``unlisted`` names the locations whose store cannot be asked
    which uploads it has, or did not answer: nothing is known of orphans there.
    """

    found: int = 0
    aborted: int = 0
    failed: int = 0
    bytes: int = 0
    unlisted: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return the counts by name."""
        return asdict(self)


@recorded("orphans")
def sweep_orphans(*, dry_run: bool = True) -> OrphanCounts:
    """Find multipart uploads that no session knows, and abort them unless it is a dry run.

    Only uploads that this instance has opened, below the URIs of its locations, older than
    ``OAREPO_S3_ORPHAN_GRACE``. Each gets a line in the log. One location, or one upload, that fails
    does not stop the others.
    """
    counts = OrphanCounts()
    for name, uri in _locations():
        try:
            store = current_s3.store(uri)
        except InvalidLocation:
            continue  # files-rest's own locations, on a disk
        try:
            if not isinstance(store, ListsUploads) or not _can_list(store, uri):
                raise StoreError(reason="it does not list uploads by prefix")
            for page in _pages(_old_ones(store, uri)):
                _end_orphans(store, page, counts, dry_run=dry_run)
        except StoreError as error:
            counts.unlisted.append(name)
            logger.warning(
                "Nothing is known of orphaned uploads in the location %s: %s",
                name,
                error,
                extra={"action": "orphans_unlisted", "location": name},
            )
    return counts


def _locations() -> list[tuple[str, str]]:
    """Return the name and the URI of each location, each place once."""
    places = {f"{location.uri.rstrip('/')}/": location.name for location in Location.all()}
    end_transaction()
    return [(name, uri) for uri, name in places.items() if "://" in uri]


def _can_list(store: ListsUploads, location_uri: str) -> bool:
    """Open an upload, look for it in the store's list, and drop it again.

    A store that lists by exact key alone (MinIO) answers with an empty list, not with an error:
    that must not be taken for "there are no orphans".
    """
    probe = ObjectURI.parse(object_uri(location_uri, uuid.uuid4())).key
    prefix = ObjectURI.parse(location_uri).key
    first_piece, _, _ = probe.removeprefix(prefix).partition("/")
    upload_id = store.create_upload(probe, content_type=None, metadata={})
    try:
        listed = store.list_uploads(f"{prefix}{first_piece}")
        return any(found.upload_id == upload_id for found in listed)
    finally:
        abort_until_gone(store, probe, upload_id)


def _old_ones(store: ListsUploads, location_uri: str) -> Iterator[tuple[UUID, OpenUpload]]:
    """Yield this instance's uploads that are older than the grace, each with its file's id."""
    marker, prefix = current_s3.key_marker, ObjectURI.parse(location_uri).key
    before = utcnow() - current_s3.settings.orphan_grace
    for found in store.list_uploads(prefix):
        file_id = marker.file_id(prefix, found.key)
        if file_id is not None and found.initiated <= before:
            yield file_id, found


def _pages(uploads: Iterator[tuple[UUID, OpenUpload]]) -> Iterator[list[OpenUpload]]:
    """Yield those of the uploads that no open session knows."""
    while page := list(islice(uploads, PAGE)):
        known = set(
            db.session.scalars(
                sa.select(Upload.file_id).where(
                    Upload.file_id.in_([file_id for file_id, _ in page]),
                    Upload.state.not_in([state.value for state in FINAL_STATES]),
                )
            )
        )
        end_transaction()
        yield [found for file_id, found in page if file_id not in known]


def _end_orphans(
    store: ObjectStore, orphans: list[OpenUpload], counts: OrphanCounts, *, dry_run: bool
) -> None:
    work = partial(_measure if dry_run else _abort, store)
    for orphan, done in zip(orphans, side_by_side(work, orphans), strict=True):
        counts.found += 1
        try:
            size = done.result()
        except StoreError as error:
            counts.failed += 1
            logger.warning(
                "Orphan %s could not be dropped (%s); it is tried again.",
                orphan.key,
                error.code,
                extra={"action": "orphan_failed", "code": error.code, **_about(orphan)},
            )
            continue
        counts.bytes += size
        counts.aborted += not dry_run
        logger.warning(
            "Orphan %s, begun %s: %s bytes.",
            orphan.key,
            isoformat(orphan.initiated),
            size,
            extra={
                "action": "orphan_found" if dry_run else "orphan_aborted",
                "size": size,
                **_about(orphan),
            },
        )


def _measure(store: ObjectStore, orphan: OpenUpload) -> int:
    """Return how many bytes an upload holds; one that has just gone holds none."""
    try:
        return sum(part.size for part in all_parts(store, orphan.key, orphan.upload_id))
    except StoreUploadGone:
        return 0


def _abort(store: ObjectStore, orphan: OpenUpload) -> int:
    """Drop an upload and return how many bytes it held."""
    size = _measure(store, orphan)
    abort_until_gone(store, orphan.key, orphan.upload_id)
    return size


def _about(orphan: OpenUpload) -> dict[str, str]:
    """Return the fields by which a log line names an orphan: what the store calls it."""
    return {"key": orphan.key, "upload_id": orphan.upload_id}
