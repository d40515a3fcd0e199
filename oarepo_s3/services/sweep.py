# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""End uploads whose time has run out, so that abandoned parts cost nobody room or money."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db

from ..core.states import UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from ..signals import before_upload_abort
from .abort import drop_upload
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


def sweep_expired() -> SweepCounts:
    """Expire what is over time and drop it at the store, batch by batch.

    One upload that cannot be dropped does not stop the others.
    """
    counts = SweepCounts()
    for batch in _batches():
        with committing():
            for upload in batch:
                if upload.state == UploadState.PENDING and upload.move(UploadState.EXPIRED):
                    counts.expired += 1
        for upload in batch:
            if upload.state == UploadState.EXPIRED:
                _drop(upload, counts)
    return counts


def _batches() -> Iterator[list[Upload]]:
    """Yield expired uploads in the order of their ids, each once, with the rows locked."""
    now, last = utcnow(), UUID(int=0)
    over = sa.or_(
        sa.and_(Upload.state == UploadState.PENDING.value, Upload.expires_at <= now),
        Upload.state == UploadState.EXPIRED.value,
    )
    while True:
        batch = list(
            db.session.scalars(
                sa.select(Upload)
                .where(over, Upload.id > last)
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


def _drop(upload: Upload, counts: SweepCounts) -> None:
    upload_id = upload.id
    try:
        before_upload_abort.send(current_s3.app, upload=upload)
        drop_upload(upload)
        counts.aborted += 1
    except Exception:
        db.session.rollback()
        counts.failed += 1
        logger.exception(
            "An expired upload could not be dropped; the next sweep tries again.",
            extra={"action": "sweep_failed", "upload": str(upload_id)},
        )
