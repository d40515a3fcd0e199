# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""One upload in a bucket of its own, to see that database, quota and store work together.

Nothing of it stays: neither the object nor a row. What cannot be removed at once is left where the
tasks find it: an open upload to the recovery, a file without a bucket to files-rest's own task for
orphaned files.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, Location

from ..backends import StreamsObjects
from ..core.errors import InvalidLocation, StoreError, StoreFault
from ..core.states import UploadState
from ..core.uris import ObjectURI
from ..models import Upload
from ..proxies import current_s3
from .abort import abort_upload
from .complete import complete_upload
from .create import NewUpload, create_upload
from .parts import PartUrl, sign_parts
from .transactions import committing, end_transaction, roll_back

logger = logging.getLogger(__name__)

KEY = "invenio-s3-check"
MORE = b"The last part of a test upload."


def try_upload(location_name: str, send: Callable[[PartUrl, bytes], None]) -> list[str]:
    """Upload a file of two parts to a location, read it back and remove it.

    :param send: sends a part as a client does, and raises an
        :class:`~oarepo_s3.core.errors.UploadError` when it cannot.
    :returns: what could not be removed.
    :raises UploadError: when a step fails; what can be removed is removed all the same.
    :raises InvalidLocation: when there is no such location.
    """
    bucket_id = _make_bucket(location_name)
    try:
        _upload(bucket_id, send)
    finally:
        left = _remove(bucket_id)
    return left


def _make_bucket(location_name: str) -> UUID:
    end_transaction()
    with committing():
        location = Location.get_by_name(location_name)
        if location is None:
            raise InvalidLocation(uri=location_name)
        bucket_id: UUID = Bucket.create(location=location).id
    return bucket_id


def _upload(bucket_id: UUID, send: Callable[[PartUrl, bytes], None]) -> None:
    first = current_s3.settings.limits.min_part_size
    contents = {1: bytes(first), 2: MORE}
    size = first + len(MORE)
    upload = create_upload(NewUpload(bucket_id, KEY, size, part_size=first))
    urls = sign_parts(upload, contents)
    end_transaction()
    for url in urls:
        send(url, contents[url.part])
    complete_upload(upload)
    uri = upload.uri
    end_transaction()
    _compare(uri, b"".join(contents.values()))


def _compare(uri: str, content: bytes) -> None:
    store = current_s3.store(uri)
    if not isinstance(store, StreamsObjects):
        return
    if b"".join(store.stream(ObjectURI.parse(uri).key)) != content:
        raise StoreFault(reason="what was read back is not what was uploaded")


def _remove(bucket_id: UUID) -> list[str]:
    """Remove the bucket with all that it has; return what could not be removed."""
    roll_back()
    left, gone = [], []
    for upload in db.session.scalars(sa.select(Upload).where(Upload.bucket_id == bucket_id)).all():
        uri = upload.uri
        try:
            gone.append(_remove_content(upload))
        except StoreError as error:
            left.append(f"{uri} ({error.code})")
    if left:
        # Also where nobody sees the result, because the command was interrupted.
        logger.warning(
            "Left behind by a test upload: %s", "; ".join(left), extra={"action": "check_left"}
        )
    with committing():
        bucket = db.session.get(Bucket, bucket_id)
        if bucket is not None:
            bucket.remove()
        db.session.execute(sa.delete(Upload).where(Upload.file_id.in_(gone)))
        db.session.execute(sa.delete(FileInstance).where(FileInstance.id.in_(gone)))
    return left


def _remove_content(upload: Upload) -> UUID:
    """Drop an upload, or remove its object; return the id of its file.

    :raises StoreError: when the store did not do it.
    """
    file_id: UUID = upload.file_id
    if not upload.has_ended:
        abort_upload(upload)
    elif upload.state == UploadState.COMPLETED:
        uri = upload.uri
        end_transaction()
        current_s3.store(uri).delete(ObjectURI.parse(uri).key)
    return file_id
