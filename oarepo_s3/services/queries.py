# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Find uploads."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db

from ..core.errors import UploadNotFound
from ..core.states import UploadState
from ..models import Upload
from ..proxies import current_s3


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
