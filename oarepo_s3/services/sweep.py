# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Work that nobody waits for: end uploads over time, and finish what was interrupted."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db

from ..core.errors import UploadError, UploadLost
from ..core.states import UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from ..signals import before_upload_abort
from .abort import abort_upload, drop_upload
from .complete import ASSEMBLY_TIME, complete_upload
from .transactions import committing, end_transaction

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class SweepCounts:
    """What a sweep did, in uploads; ``failed`` ones are tried again by the next sweep."""

    expired: int = 0
    aborted: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


@dataclass(slots=True)
class RecoverCounts:
    """What a recovery did, in uploads.

    ``lost`` ones have ended as failed, because the store has neither their parts nor their object;
    ``failed`` ones are tried again by the next recovery.
    """

    completed: int = 0
    aborted: int = 0
    lost: int = 0
    failed: int = 0

    def as_dict(self) -> dict[str, int]:
        """Return the counts by name."""
        return asdict(self)


def sweep_expired() -> SweepCounts:
    """Expire what is over time and drop it at the store, batch by batch.

    One upload that cannot be dropped does not stop the others.
    """
    counts = SweepCounts()
    over = sa.or_(
        sa.and_(Upload.state == UploadState.PENDING.value, Upload.expires_at <= utcnow()),
        Upload.state == UploadState.EXPIRED.value,
    )
    for batch in _batches(over):
        with committing():
            for upload in batch:
                if upload.state == UploadState.PENDING and upload.move(UploadState.EXPIRED):
                    counts.expired += 1
        for upload in batch:
            if upload.state == UploadState.EXPIRED:
                if _attempt(_drop_expired, upload):
                    counts.aborted += 1
                else:
                    counts.failed += 1
    return counts


def recover_interrupted() -> RecoverCounts:
    """Finish completions and aborts that were begun and not ended: a worker died, a store was down.

    Only rows that have rested for longer than a store needs to assemble an object are taken, so
    that nobody who is just at work is disturbed.
    """
    counts = RecoverCounts()
    resting = sa.and_(
        Upload.state.in_([UploadState.COMPLETING.value, UploadState.ABORTING.value]),
        Upload.updated_at <= utcnow() - ASSEMBLY_TIME,
    )
    for batch in _batches(resting):
        end_transaction()
        for upload in batch:
            completing = upload.state == UploadState.COMPLETING
            done = _attempt(_complete_or_lose if completing else drop_upload, upload)
            if not done:
                counts.failed += 1
            elif upload.state == UploadState.COMPLETED:
                counts.completed += 1
            elif upload.state == UploadState.FAILED:
                counts.lost += 1
            else:
                counts.aborted += 1
    return counts


def _batches(condition: Any) -> Iterator[list[Upload]]:
    """Yield the uploads in the order of their ids, each once, with the rows of a batch locked.

    Rows that another worker has locked are left to it.
    """
    last = UUID(int=0)
    while True:
        batch = list(
            db.session.scalars(
                sa.select(Upload)
                .where(condition, Upload.id > last)
                .order_by(Upload.id)
                .limit(current_s3.settings.sweep_batch)
                .with_for_update(skip_locked=True)
            )
        )
        if not batch:
            end_transaction()
            return
        last = batch[-1].id
        yield batch


def _drop_expired(upload: Upload) -> None:
    before_upload_abort.send(current_s3.app, upload=upload)
    drop_upload(upload)


def _complete_or_lose(upload: Upload) -> None:
    try:
        complete_upload(upload)
    except UploadLost:
        logger.warning(
            "An upload that was being completed is lost.",
            extra={"action": "upload_lost", "upload": str(upload.id)},
        )
        if upload.state == UploadState.COMPLETING:
            # Its file was removed from the bucket: what the store has is of no use to anybody.
            abort_upload(upload)


def _attempt(work: Callable[[Upload], object], upload: Upload) -> bool:
    """Do the work for one upload; whatever it raises, the others have to go on."""
    upload_id = upload.id
    try:
        work(upload)
    except UploadError as error:
        _report(upload_id, error.code)
    except Exception:
        # A receiver of a signal may raise anything.
        logger.exception(
            "An upload could not be ended; it is tried again.",
            extra={"action": "sweep_failed", "upload": str(upload_id)},
        )
    else:
        return True
    db.session.rollback()
    return False


def _report(upload_id: UUID, code: str) -> None:
    logger.warning(
        "An upload could not be ended (%s); it is tried again.",
        code,
        extra={"action": "sweep_failed", "upload": str(upload_id), "code": code},
    )
