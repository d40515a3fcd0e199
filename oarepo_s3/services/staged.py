# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The parts of an upload, also when the file came in one piece to a place of its own.

A form or temporary keys make one object (:mod:`.forms`), which the store copies into the parts.

- Parts that were sent by their URLs win, when all of them are there with their sizes. Else a whole
  file that has come replaces them all.
- A large file takes several calls. The row remembers of which object the parts are copies, by its
  ETag (``staged_etag``), so that the next call goes on with the parts that are missing.
- Copies of two objects never meet, nor do they meet parts that are sent. For the copies of each
  object another multipart upload is opened in the place of the one that is there, which is dropped:
  who still copies into that one, or has URLs of its parts, gets an error. Nobody gets URLs for an
  upload of copies (:mod:`.parts`).
- Each copy insists on the ETag. Not all stores look at that (RGW 16.2 does not), so the object is
  looked at once more when all copies are made. What this cannot see there is an object that was
  replaced and then replaced back while it was copied, which takes the owner of the keys.

A file of one part is copied in one call, and needs none of this.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db

from ..backends import ByteRange
from ..core.errors import (
    StillCopying,
    StoreError,
    StorePreconditionFailed,
    StoreUnavailable,
    StoreUploadGone,
)
from ..core.parts import UploadedPart
from ..core.planning import PartPlan
from ..core.states import UploadState
from ..models import Upload
from ..proxies import current_s3
from .batches import side_by_side
from .stored import StoredUpload, abort_until_gone
from .transactions import committing, end_transaction

logger = logging.getLogger(__name__)

ROUNDS = 3
"""How often a copy is begun again in one call, because the object was replaced meanwhile."""


def collect_parts(upload: Upload, *, in_a_hurry: bool) -> tuple[StoredUpload, list[UploadedPart]]:
    """Return all parts that the store has, after what has come in one piece was made parts.

    :param in_a_hurry: stop copying when half of ``OAREPO_S3_COMPLETE_TIMEOUT`` is over: the other
        half is for the store to assemble the object.
    :returns: the upload as it is at the store by now, and its parts.
    :raises StillCopying: when the time is over.
    :raises StoreUploadGone: when the store does not know the upload.
    :raises StoreError: when the store gave no clear answer, or the file is replaced all the time.
    """
    patience = current_s3.settings.complete_timeout.total_seconds() / 2
    until = time.monotonic() + patience if in_a_hurry else None
    for _ in range(ROUNDS):
        row_id, plan, stored = upload.id, upload.plan, StoredUpload.of(upload)
        takes_more = upload.state == UploadState.PENDING
        end_transaction()
        try:
            if stored.form_key is None or not takes_more:
                return stored, stored.all_parts()
            found = _collect(row_id, plan, stored, until)
        except StoreUploadGone:
            if upload.store_upload_id == stored.upload_id:
                raise
        else:
            if found is not None:
                return found
    raise StoreUnavailable(reason="the file is replaced while it is copied")


def _collect(
    row_id: UUID, plan: PartPlan, stored: StoredUpload, until: float | None
) -> tuple[StoredUpload, list[UploadedPart]] | None:
    """Do the same once; None when it has to be begun again."""
    parts = stored.all_parts()
    if stored.staged_etag is None and not _missing(plan, parts):
        return stored, parts
    source = stored.staged()
    if source is None:
        if stored.staged_etag is None:
            # Asked again: another caller may have taken the file, and ended the upload.
            return stored, stored.all_parts()
        # Copies of an object that is not there any more prove nothing: parts can be sent again.
        emptied = _begin(row_id, stored, None)
        return None if emptied is None else (emptied, [])
    if plan.num_parts == 1:
        stored.copy_staged(1, None, None)
        return stored, stored.all_parts()
    if stored.staged_etag != source.etag:
        renewed = _begin(row_id, stored, source.etag)
        if renewed is None:
            return None
        stored, parts = renewed, []
    try:
        _copy(plan, stored, _missing(plan, parts), until)
    except StorePreconditionFailed:
        return None
    # Listed before the object is looked at: another caller may still copy, and what it copied of
    # another object must not be in a list that seems to be proved.
    parts, now = stored.all_parts(), stored.staged()
    if now is None or now.etag != stored.staged_etag:
        return None
    return stored, parts


def _missing(plan: PartPlan, parts: Sequence[UploadedPart]) -> list[int]:
    """Return the numbers of the parts that are not there, or not with their size."""
    sizes = {part.part: part.size for part in parts}
    return [part for part in range(1, plan.num_parts + 1) if sizes.get(part) != plan.size_of(part)]


def _begin(row_id: UUID, stored: StoredUpload, etag: str | None) -> StoredUpload | None:
    """Let the parts from now on be copies of one object; None when somebody else was faster.

    :param etag: of the object; None for parts that are sent.
    """
    renewed = replace(stored, upload_id=stored.open(), staged_etag=etag)
    with committing():
        changed = db.session.execute(
            sa.update(Upload)
            .where(
                Upload.id == row_id,
                Upload.state == UploadState.PENDING.value,
                Upload.store_upload_id == stored.upload_id,
                Upload.staged_etag == stored.staged_etag,
            )
            .values(staged_etag=etag, store_upload_id=renewed.upload_id)
            .execution_options(synchronize_session=False)
        )
        ours = changed.rowcount == 1
    _drop(stored if ours else renewed)
    return renewed if ours else None


def _drop(stored: StoredUpload) -> None:
    """Abort a multipart upload that no row knows any more, if the store does it now."""
    try:
        abort_until_gone(stored.store, stored.key, str(stored.upload_id))
    except StoreError as error:
        logger.warning(
            "Parts that are not needed any more could not be removed (%s); the sweep of orphans"
            " does it when the upload has ended.",
            error.code,
            extra={"action": "parts_left", "key": stored.key},
        )


def _copy(
    plan: PartPlan, stored: StoredUpload, missing: Sequence[int], until: float | None
) -> None:
    """Copy parts, several at a time.

    :raises StillCopying: when the time is over; some have been copied by then.
    :raises StorePreconditionFailed: when the object was replaced or removed.
    """
    at_once = current_s3.settings.sweep_threads
    for first in range(0, len(missing), at_once):
        if first and until is not None and time.monotonic() >= until:
            done = plan.num_parts - len(missing) + first
            raise StillCopying(done=done, num_parts=plan.num_parts)
        batch = missing[first : first + at_once]
        for copied in side_by_side(partial(_copy_one, plan, stored), batch):
            if not copied.result():
                raise StorePreconditionFailed(reason="the file was removed while it was copied")


def _copy_one(plan: PartPlan, stored: StoredUpload, part: int) -> bool:
    first = (part - 1) * plan.part_size
    span = ByteRange(first, first + plan.size_of(part) - 1)
    return stored.copy_staged(part, span, stored.staged_etag)
