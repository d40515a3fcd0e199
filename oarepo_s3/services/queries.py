# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Find uploads."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from invenio_accounts.proxies import current_datastore
from invenio_db import db

from ..core.errors import UploadNotFound
from ..core.states import FINAL_STATES, UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3

ROWS = 500
"""How many uploads of a long list are in memory at a time."""


@dataclass(frozen=True, slots=True)
class UploadPage:
    """Some uploads, newest first, and whether more follow."""

    uploads: list[Upload]
    more: bool


def get_upload(upload_id: UUID) -> Upload:
    """Return an upload, as it is in the database now.

    :raises UploadNotFound: when there is none.
    """
    upload = db.session.get(Upload, upload_id, populate_existing=True)
    if upload is None:
        raise UploadNotFound()
    return upload


def find_upload(bucket_id: UUID, key: str) -> Upload:
    """Return the newest upload of a file: an open one if there is one, else one that ended.

    :raises UploadNotFound: when there is none.
    """
    if "\x00" in key:
        # PostgreSQL does not even take the question.
        raise UploadNotFound()
    still_open = Upload.state.in_([UploadState.PENDING.value, UploadState.COMPLETING.value])
    upload = db.session.scalars(
        sa.select(Upload)
        .where(Upload.bucket_id == bucket_id, Upload.key == key)
        .order_by(sa.case((still_open, 0), else_=1), Upload.created_at.desc(), Upload.id)
        .limit(1)
        .execution_options(populate_existing=True)
    ).first()
    if upload is None:
        raise UploadNotFound()
    return upload


def upload_of_file(file_id: UUID) -> Upload:
    """Return the upload of a file instance.

    :raises UploadNotFound: when the file did not come by one.
    """
    upload = db.session.scalars(sa.select(Upload).where(Upload.file_id == file_id)).first()
    if upload is None:
        raise UploadNotFound()
    return upload


def list_uploads(
    user_id: int,
    *,
    bucket_id: UUID | None = None,
    state: UploadState | None = None,
    page: int = 1,
) -> UploadPage:
    """Return a page of a user's own uploads, newest first.

    :param page: 1 for the first.
    """
    size = current_s3.settings.page_size
    query = sa.select(Upload).where(Upload.user_id == user_id)
    if bucket_id is not None:
        query = query.where(Upload.bucket_id == bucket_id)
    if state is not None:
        query = query.where(Upload.state == state.value)
    found = list(
        db.session.scalars(
            query.order_by(Upload.created_at.desc(), Upload.id)
            .offset((page - 1) * size)
            .limit(size + 1)
        )
    )
    return UploadPage(found[:size], more=len(found) > size)


@dataclass(frozen=True, slots=True)
class UploadFilter:
    """Which uploads of all users an operator wants to see; what is left out does not matter.

    :param states: any of these.
    :param older_than: how long ago they were begun at least.
    :param larger_than: bytes that the file has more than.
    :param expired: only those whose time has run out and that have not ended.
    """

    states: Sequence[UploadState] = ()
    user_id: int | None = None
    bucket_id: UUID | None = None
    older_than: timedelta | None = None
    larger_than: int | None = None
    expired: bool = False

    def conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        """Yield SQL, all of which has to hold."""
        now = utcnow()
        if self.states:
            yield Upload.state.in_([state.value for state in self.states])
        if self.user_id is not None:
            yield Upload.user_id == self.user_id
        if self.bucket_id is not None:
            yield Upload.bucket_id == self.bucket_id
        if self.older_than is not None:
            yield Upload.created_at <= now - self.older_than
        if self.larger_than is not None:
            yield Upload.size > self.larger_than
        if self.expired:
            yield Upload.expires_at <= now
            yield Upload.state.not_in([state.value for state in FINAL_STATES])


@dataclass(frozen=True, slots=True)
class OwnedUpload:
    """An upload, and the e-mail address of whoever began it; None for nobody that is known."""

    upload: Upload
    owner: str | None


def all_uploads(*conditions: Any, limit: int | None = None) -> Iterator[OwnedUpload]:
    """Yield uploads of all users, newest first, however many there are.

    They are read in pages out of one transaction, which is open until the last one: call no store
    in between.

    :param conditions: SQL, all of which has to hold.
    :param limit: how many at most.
    """
    user = current_datastore.user_model
    query = (
        sa.select(Upload, user.email)
        .outerjoin(user, user.id == Upload.user_id)
        .where(*conditions)
        .order_by(Upload.created_at.desc(), Upload.id)
        .limit(limit)
    )
    for upload, owner in db.session.execute(query.execution_options(yield_per=ROWS)):
        yield OwnedUpload(upload, owner)


@dataclass(slots=True)
class UploadSums:
    """How many uploads there are, and what they hold.

    :param bytes_held: bytes of those that have not ended: their parts may lie at the store, and
        their room in the bucket is taken.
    """

    uploads: int = 0
    bytes: int = 0
    bytes_held: int = 0

    def add(self, upload: Upload) -> None:
        """Count one."""
        self.uploads += 1
        self.bytes += upload.size
        self.bytes_held += 0 if upload.has_ended else upload.size


def sum_uploads(*conditions: Any) -> UploadSums:
    """Return the sums of what :func:`all_uploads` yields without a limit."""
    has_ended = Upload.state.in_([state.value for state in FINAL_STATES])
    held = sa.case((has_ended, 0), else_=Upload.size)
    query = sa.select(sa.func.count(), sa.func.sum(Upload.size), sa.func.sum(held))
    count, size, size_held = db.session.execute(query.where(*conditions)).one()
    # There is no sum of nothing; and PostgreSQL's is a decimal number.
    return UploadSums(count, int(size or 0), int(size_held or 0))


def find_owners(uploads: Iterable[Upload]) -> dict[int | None, str]:
    """Return the e-mail addresses of whoever began uploads, by id; users that are gone have none.

    One query, however many there are: a page of uploads is read in one piece.
    """
    user = current_datastore.user_model
    ids = {upload.user_id for upload in uploads} - {None}
    found = db.session.execute(sa.select(user.id, user.email).where(user.id.in_(ids)))
    return dict(found.tuples().all())


def find_user_id(email: str) -> int | None:
    """Return the id of the user with an e-mail address, in whatever case; None for nobody."""
    user = current_datastore.user_model
    return db.session.scalar(
        sa.select(user.id).where(sa.func.lower(user.email) == email.lower()).limit(1)
    )
