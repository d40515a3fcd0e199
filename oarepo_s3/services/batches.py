# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How tasks work on many uploads: each takes some for itself, and no failure stops the rest.

The rows are locked only for the moment in which they are taken (``FOR UPDATE SKIP LOCKED``, so that
nobody waits for another); what keeps other workers away during the long calls to the store is
:attr:`~oarepo_s3.models.Upload.rests_until`. A worker that dies holds its rows until then and no
longer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db

from ..core.errors import InvalidLocation, UploadError
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from .stored import StoredUpload
from .transactions import committing, end_transaction, roll_back

logger = logging.getLogger(__name__)

Item = TypeVar("Item")
Result = TypeVar("Result")

LEASE = timedelta(minutes=15)
"""How long a worker has its rows for itself: longer than any batch takes."""


def claim(
    condition: Any,
    *,
    limit: int | None = None,
    lease: Callable[[Upload], timedelta] = lambda upload: LEASE,
) -> Iterator[list[Upload]]:
    """Yield batches of uploads, in the order of their ids, each upload once and to one worker.

    :param condition: SQL, which uploads; those that rest are left out.
    :param limit: how many in a batch; None for ``OAREPO_S3_SWEEP_BATCH``.
    :param lease: how long an upload is this worker's.
    """
    last = UUID(int=0)
    while True:
        with committing():
            found = list(
                db.session.scalars(
                    sa.select(Upload)
                    .where(condition, is_free(), Upload.id > last)
                    .order_by(Upload.id)
                    .limit(limit or current_s3.settings.sweep_batch)
                    .with_for_update(skip_locked=True)
                    .execution_options(populate_existing=True)
                )
            )
            batch = [upload for upload in found if _take(upload, utcnow() + lease(upload))]
        if not found:
            return
        last = found[-1].id
        if batch:
            yield batch


def release(upload: Upload, until: datetime | None = None) -> None:
    """Let go of an upload; the caller commits.

    :param until: when a task shall look at it again at the earliest; None for at once.
    """
    _rest(upload.id, until)


def is_free() -> sa.ColumnElement[bool]:
    """SQL: uploads that no task has for itself."""
    return sa.or_(Upload.rests_until.is_(None), Upload.rests_until <= utcnow())


def _take(upload: Upload, until: datetime) -> bool:
    """Take a row; where the database knows no row locks (SQLite), this alone decides who has it."""
    return _rest(upload.id, until, is_free())


def _rest(upload_id: UUID, until: datetime | None, *condition: Any) -> bool:
    changed = db.session.execute(
        sa.update(Upload)
        .where(Upload.id == upload_id, *condition)
        # A task that takes a row or lets go of it does not change the upload.
        .values(rests_until=until, updated_at=Upload.updated_at)
        .execution_options(synchronize_session=False)
    )
    return bool(changed.rowcount == 1)


def side_by_side(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Future[Result]]:
    """Do work at several stores, or several times at one, at once; yield what comes of each.

    :param work: has to be free of the database and of the application: it runs in other threads,
        ``OAREPO_S3_SWEEP_THREADS`` at a time.
    """
    with ThreadPoolExecutor(current_s3.settings.sweep_threads) as pool:
        yield from [pool.submit(work, item) for item in items]


def ask_stores(
    work: Callable[[StoredUpload], Result], uploads: Sequence[Upload]
) -> Iterator[tuple[Upload, Future[Result]]]:
    """Call the store for several uploads at once; yield each with what comes of it.

    The database session stays in this thread, and no transaction is open meanwhile.
    """

    def call(stored: StoredUpload | InvalidLocation) -> Result:
        if isinstance(stored, InvalidLocation):
            raise stored
        return work(stored)

    stored = [_stored(upload) for upload in uploads]
    end_transaction()
    yield from zip(uploads, side_by_side(call, stored), strict=True)


def _stored(upload: Upload) -> StoredUpload | InvalidLocation:
    try:
        return StoredUpload.of(upload)
    except InvalidLocation as error:
        return error


def attempt(work: Callable[[Upload], object], upload: Upload) -> bool:
    """Do the work for one upload; whatever it raises, the others have to go on."""
    upload_id = upload.id
    try:
        work(upload)
    except UploadError as error:
        logger.warning(
            "An upload could not be ended (%s); it is tried again.",
            error.code,
            extra={"action": "task_failed", "upload": str(upload_id), "code": error.code},
        )
    except Exception:
        # A receiver of a signal may raise anything.
        logger.exception(
            "An upload could not be ended; it is tried again.",
            extra={"action": "task_failed", "upload": str(upload_id)},
        )
    else:
        return True
    roll_back()
    return False
