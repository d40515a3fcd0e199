# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Open an upload: check the room, write the row, then ask the store.

Two doors lead here. The REST API calls :func:`create_upload`, which owns its transactions: the row
is committed before the store is called, so a crash leaves a row that the sweep ends. An assignment
(``files[key] = MultipartUpload(...)``) calls :func:`open_for_version` inside the transaction of
whoever assigns.
"""

from __future__ import annotations

import logging
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from flask import current_app
from invenio_db import db
from invenio_files_rest.helpers import make_path
from invenio_files_rest.models import Bucket, ObjectVersion

from ..core.digests import ChecksumStatus, Digest
from ..core.errors import (
    BucketLocked,
    BucketNotFound,
    InvalidKey,
    InvalidRequest,
    StoreDenied,
    StoreError,
    StoreMisconfigured,
    UploadNotPending,
)
from ..core.names import UNFIT
from ..core.planning import PartPlan, plan_parts, take_plan
from ..core.states import UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from .buckets import give_room_back, lock_bucket, require_room
from .journal import about
from .stored import StoredUpload
from .transactions import committing, end_transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NewUpload:
    """What a client asks for.

    :param bucket_id: id of the files-rest bucket.
    :param key: name of the file in it.
    :param size: bytes of the whole file.
    :param part_size: bytes of a part, if the client has a wish.
    :param num_parts: number of parts, if the client has cut the file already; ``part_size`` is then
        no wish but a part of that.
    :param checksum: the client's digest of the whole file, ``algorithm:value`` as
        :meth:`~oarepo_s3.core.digests.Digest.parse` reads it.
    :param lifetime: how long the upload may take; None for the configured time.
    :param user_id: who asks; None for a system process.
    """

    bucket_id: UUID
    key: str
    size: int
    content_type: str | None = None
    part_size: int | None = None
    num_parts: int | None = None
    checksum: str | None = None
    lifetime: timedelta | None = None
    user_id: int | None = None


def create_upload(new: NewUpload) -> Upload:
    """Reserve room in the bucket and open a multipart upload at its store.

    One call to the store, and the same number of SQL statements whatever the number of parts.

    :raises InputError: when the file cannot be stored, or there is no room for it.
    :raises BucketNotFound: when there is no such bucket.
    :raises BucketLocked: when it takes no changes.
    :raises StoreError: when the store does not open the upload; the room is given back.
    :raises UploadNotPending: when somebody aborted it meanwhile.
    """
    plan = _plan(new)
    check_key(new.key)
    # The lock has to be the first thing that the transaction does: what was read before may be
    # stale by now, and SQLite refuses to write after reading while others write.
    end_transaction()
    with committing():
        bucket = lock_bucket(new.bucket_id)
        require_room(bucket, plan.size)
        bucket.size += plan.size
        file_id = uuid.uuid4()
        upload = _row(new, plan, file_id, object_uri(bucket.location.uri, file_id))
        upload.reserved = plan.size
        db.session.add(upload)
        stored = StoredUpload.of(upload)
    try:
        store_upload_id = stored.open()
    except StoreError as error:
        _give_up(upload, error)
        raise
    with committing():
        upload.store_upload_id = store_upload_id
    if upload.state != UploadState.PENDING:
        # Aborted while the store was asked: what it has opened since then nobody else would drop.
        StoredUpload.of(upload).clear()
        raise UploadNotPending(state=upload.state)
    _report(upload)
    return upload


def open_for_version(new: NewUpload, version: ObjectVersion) -> Upload:
    """Open a multipart upload for a version that files-rest is just creating.

    The caller's transaction is neither committed nor rolled back.

    :param version: has a file without content; files-rest counts its size.
    :raises InputError: when the file cannot be stored, or there is no room for it.
    :raises StoreError: when the store does not open the upload.
    """
    plan = _plan(new)
    bucket = lock_bucket(new.bucket_id)
    require_room(bucket, plan.size)
    file_id = version.file.id
    upload = _row(new, plan, file_id, object_uri(bucket.location.uri, file_id))
    upload.version_id = version.version_id
    db.session.add(upload)
    db.session.flush()
    upload.store_upload_id = StoredUpload.of(upload).open()
    db.session.flush()
    _report(upload)
    return upload


def _report(upload: Upload) -> None:
    logger.info(
        "Upload %s was opened, in %s parts.",
        upload.id,
        upload.num_parts,
        extra={"action": "upload_created", **about(upload)},
    )


def require_assignable(bucket: Bucket, key: str) -> None:
    """Refuse early what an assignment to a bucket would stumble over.

    Files-rest and the file managers have errors of their own for some of it, or none.

    :raises InvalidKey: when no file should have that name.
    :raises BucketNotFound: when the bucket is deleted.
    :raises BucketLocked: when it takes no changes.
    """
    check_key(key)
    if bucket.deleted:
        raise BucketNotFound()
    if bucket.locked:
        raise BucketLocked()


def _plan(new: NewUpload) -> PartPlan:
    settings = current_s3.settings
    limits = settings.limits
    if new.num_parts is not None:
        return take_plan(new.size, limits=limits, num_parts=new.num_parts, part_size=new.part_size)
    return plan_parts(new.size, limits=limits, preferred=settings.part_size, wish=new.part_size)


def check_key(key: str) -> None:
    """Refuse a name that no file should have.

    :raises InvalidKey: always with the reason.
    """
    longest = current_app.config["FILES_REST_OBJECT_KEY_MAX_LEN"]
    if not key:
        raise InvalidKey(reason="it is empty")
    if len(key) > longest:
        raise InvalidKey(reason=f"it has {len(key)} characters, {longest} are possible")
    if UNFIT.search(key):
        raise InvalidKey(reason="it has control characters")
    if key.startswith("/") or key in (".", ".."):
        # Clients and servers take these out of a path: nobody could fetch the file.
        raise InvalidKey(reason="it cannot be a part of an address")


def object_uri(location_uri: str, file_id: UUID) -> str:
    """Return the URI of a new object, laid out as files-rest's storage factory does it.

    :raises InvalidLocation: when no back end serves the location.
    """
    uri = make_path(
        location_uri,
        str(file_id),
        current_s3.key_marker.file_name(file_id),
        current_app.config["FILES_REST_STORAGE_PATH_DIMENSIONS"],
        current_app.config["FILES_REST_STORAGE_PATH_SPLIT_LENGTH"],
    )
    # Refused before anything is written.
    current_s3.store(uri)
    return str(uri)


def _row(new: NewUpload, plan: PartPlan, file_id: UUID, uri: str) -> Upload:
    lifetime = new.lifetime or current_s3.settings.upload_lifetime
    if lifetime <= timedelta(0):
        raise InvalidRequest(reason="the upload would expire before it begins")
    now = utcnow()
    declared = Digest.parse(new.checksum) if new.checksum else None
    return Upload(
        id=uuid.uuid4(),
        bucket_id=new.bucket_id,
        key=new.key,
        file_id=file_id,
        user_id=new.user_id,
        size=plan.size,
        part_size=plan.part_size,
        num_parts=plan.num_parts,
        content_type=new.content_type,
        declared_checksum=str(declared) if declared else None,
        checksum_status=ChecksumStatus.DECLARED.value if declared else None,
        store_checksum=_store_checksum(declared, uri),
        uri=uri,
        token=secrets.token_urlsafe(32),
        created_at=now,
        expires_at=now + lifetime,
    )


def _store_checksum(declared: Digest | None, uri: str) -> str | None:
    """Return the algorithm in which the store shall keep checksums: the client's, if it can."""
    able = current_s3.store(uri).profile.object_checksums
    return declared.algorithm if declared and declared.algorithm in able else None


def _give_up(upload: Upload, error: StoreError) -> None:
    """Give the room back at once; the sweep looks for an upload that was opened all the same.

    Without a clear refusal the store may have opened it, and the row has to live on until then.
    """
    refused = isinstance(error, (StoreDenied, StoreMisconfigured))
    with committing():
        give_room_back(upload)
        upload.move(UploadState.FAILED if refused else UploadState.EXPIRED, reason=str(error))
        described = about(upload)
    logger.warning(
        "The store did not open upload %s (%s).",
        described["upload"],
        error.code,
        extra={"action": "upload_not_opened", "code": error.code, **described},
    )
