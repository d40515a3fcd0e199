# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Drop uploads whose time has run out, or whose record's file is gone, many at a time."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import partial

import sqlalchemy as sa

from ..core.states import UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from ..signals import before_upload_abort
from .abort import finish_drop
from .batches import ask_stores, attempt, claim, is_free, release
from .forms import clear_forms
from .journal import about
from .queries import OwnedUpload, all_uploads
from .removed import file_removed
from .runs import recorded
from .stored import StoredUpload
from .transactions import committing

logger = logging.getLogger(__name__)

OPENING_TIME = timedelta(hours=1)
"""After this time an upload that the store has not opened never will be: whoever began it has
died, and no client knows of it. It does not hold its room any longer."""


@dataclass(slots=True)
class SweepCounts:
    """What a sweep did, in uploads; ``failed`` ones are tried again by the next sweep."""

    expired: int = 0
    aborted: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


def is_over() -> sa.ColumnElement[bool]:
    """SQL: uploads that the sweep drops."""
    now = utcnow()
    pending = Upload.state == UploadState.PENDING.value
    return sa.or_(
        sa.and_(pending, Upload.expires_at <= now),
        sa.and_(pending, Upload.store_upload_id.is_(None), Upload.created_at <= now - OPENING_TIME),
        sa.and_(pending, file_removed()),
        Upload.state == UploadState.EXPIRED.value,
    )


def due_for_sweep() -> Iterator[OwnedUpload]:
    """Yield what :func:`sweep_expired` would take now, and change nothing."""
    return all_uploads(is_over(), is_free())


@recorded("sweep")
def sweep_expired() -> SweepCounts:
    """Expire what is over time and drop it at the store, batch by batch.

    One upload that cannot be dropped does not stop the others, and several workers share the work.
    """
    counts = SweepCounts()
    for batch in claim(is_over()):
        counts.expired += _expire(batch)
        expired = [upload for upload in batch if upload.state == UploadState.EXPIRED]
        for done in drop_together(expired, announce=True):
            counts.aborted += done
            counts.failed += not done
    counts.failed += clear_forms()
    return counts


def drop_together(uploads: Sequence[Upload], *, announce: bool = False) -> Iterator[bool]:
    """Drop claimed uploads, their calls to the store side by side; yield for each if it is done.

    Only the calls to the store are made by other threads: the database session stays in this one.

    :param announce: send ``before_upload_abort`` for each.
    """
    ready = [upload for upload in uploads if not announce or attempt(_announce, upload)]
    done = {
        upload.id
        for upload, cleared in ask_stores(StoredUpload.clear, ready)
        if attempt(partial(_finish, cleared), upload)
    }
    for upload in uploads:
        with committing():
            release(upload)
        yield upload.id in done


def _announce(upload: Upload) -> None:
    before_upload_abort.send(current_s3.app, upload=upload)


def _finish(cleared: Future[None], upload: Upload) -> None:
    cleared.result()
    finish_drop(upload)


def _expire(batch: Sequence[Upload]) -> int:
    """Expire what is pending; the rows stay claimed. Return how many have expired now."""
    with committing():
        expired = [
            about(upload)
            for upload in batch
            if upload.state == UploadState.PENDING
            and upload.move(UploadState.EXPIRED, rests_until=upload.rests_until)
        ]
    for described in expired:
        logger.info(
            "Upload %s has expired.",
            described["upload"],
            extra={"action": "upload_expired", **described},
        )
    return len(expired)
