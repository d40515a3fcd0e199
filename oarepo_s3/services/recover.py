# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Finish what was interrupted or came by a form, and find out what the store has lost."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial

import sqlalchemy as sa
from invenio_db import db

from ..core.errors import StoreUploadGone, UploadLost
from ..core.states import UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from .abort import abort_upload
from .batches import ask_stores, attempt, claim, is_free, release
from .complete import ASSEMBLY_TIME, complete_upload, settle_gone
from .forms import commit_forms, form_is_out
from .queries import OwnedUpload, all_uploads
from .runs import recorded
from .stored import StoredUpload
from .sweep import drop_together
from .transactions import committing


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

    def add(self, upload: Upload, done: bool) -> None:
        """Count what became of an upload."""
        ends = {
            UploadState.COMPLETED: "completed",
            UploadState.ABORTED: "aborted",
            UploadState.FAILED: "lost",
        }
        name = ends.get(UploadState(upload.state)) if done else "failed"
        if name:
            setattr(self, name, getattr(self, name) + 1)


def is_interrupted() -> sa.ColumnElement[bool]:
    """SQL: uploads whose completion or abort was begun, and has rested for long."""
    return sa.and_(
        Upload.state.in_([UploadState.COMPLETING.value, UploadState.ABORTING.value]),
        Upload.updated_at <= utcnow() - ASSEMBLY_TIME,
    )


def due_for_recovery() -> Iterator[OwnedUpload]:
    """Yield the interrupted uploads that :func:`recover_interrupted` would take now.

    Nothing is changed. What it makes of others, only the store can tell.
    """
    return all_uploads(is_interrupted(), is_free())


@recorded("recovery")
def recover_interrupted() -> RecoverCounts:
    """Finish completions and aborts that were begun and not ended, and fail what the store lost.

    A worker died, a store was down, a lifecycle rule removed the parts. Only rows that have rested
    for longer than a store needs to assemble an object are taken, so that nobody who is just at
    work is disturbed.
    """
    counts = RecoverCounts()
    for batch in claim(is_interrupted()):
        completing = [upload for upload in batch if upload.state == UploadState.COMPLETING]
        for upload in completing:
            counts.add(upload, attempt(_complete_or_lose, upload))
            with committing():
                release(upload)
        aborting = [upload for upload in batch if upload not in completing]
        for upload, done in zip(aborting, drop_together(aborting), strict=True):
            counts.add(upload, done)
    _complete_forms(counts)
    counts.failed += commit_forms()
    _find_lost(counts)
    return counts


def _complete_or_lose(upload: Upload) -> None:
    try:
        complete_upload(upload, in_a_hurry=False)
    except UploadLost:
        if upload.state == UploadState.COMPLETING:
            # Its file was removed from the bucket: what the store has is of no use to anybody.
            abort_upload(upload)


def _complete_forms(counts: RecoverCounts) -> None:
    """Complete what clients have sent by forms: such a client (Uppy) calls nobody when it has.

    The longer nothing came, the rarer the store is asked.
    """
    for batch in claim(form_is_out()):
        for upload, come in ask_stores(StoredUpload.form_has_come, batch):
            done = attempt(partial(_complete_if_come, come), upload)
            counts.add(upload, done)
            with committing():
                waits = done and upload.state == UploadState.PENDING
                release(upload, _next_look(upload) if waits else None)


def _complete_if_come(come: Future[bool], upload: Upload) -> None:
    if come.result():
        _complete_earlier(upload)
        complete_upload(upload, in_a_hurry=False)


def _complete_earlier(upload: Upload) -> None:
    """Complete what came for the same file by forms that were begun before.

    So the one that was begun last is the newest version. When an earlier one fails this one waits.
    """
    earlier = sa.select(Upload).where(
        form_is_out(),
        Upload.bucket_id == upload.bucket_id,
        Upload.key == upload.key,
        Upload.created_at < upload.created_at,
    )
    found = db.session.scalars(earlier.order_by(Upload.created_at)).all()
    for other, come in ask_stores(StoredUpload.form_has_come, found):
        if come.result():
            complete_upload(other, in_a_hurry=False)


def _next_look(upload: Upload) -> datetime:
    now = utcnow()
    return min(now + (now - upload.created_at) / 10, upload.expires_at)


def _find_lost(counts: RecoverCounts) -> None:
    """Ask the store for pending uploads once in a while, and end those that it does not know."""
    now, interval = utcnow(), current_s3.settings.check_interval
    quiet = sa.and_(
        Upload.state == UploadState.PENDING.value,
        Upload.store_upload_id.is_not(None),
        Upload.created_at <= now - interval,
        Upload.expires_at > now,
        ~form_is_out(),
    )
    for batch in claim(quiet):
        for upload, asked in ask_stores(_ask, batch):
            done = attempt(partial(_lose_if_gone, asked), upload)
            still_there = done and upload.state == UploadState.PENDING
            if not still_there:
                counts.add(upload, done)
            with committing():
                release(upload, min(now + interval, upload.expires_at) if still_there else None)


def _ask(stored: StoredUpload) -> None:
    stored.parts_after(0, 1)


def _lose_if_gone(asked: Future[None], upload: Upload) -> None:
    try:
        asked.result()
    except StoreUploadGone as error:
        # What it says is in the log by then, and in the row.
        with suppress(UploadLost):
            settle_gone(upload, error)
