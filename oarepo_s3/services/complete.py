# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Complete an upload: verify, assemble, prove, publish.

::

    list the parts at the store ── wrong ──> 4xx, the upload stays pending
      │ right
    commit "completing"
      │
    ask the store to assemble ── refused ──> pending again, 4xx
      │ done, or no clear answer
    HEAD: our token and size? ── no clear answer ──> stays completing, 503, call again
      │ yes             └── no object ──> failed, the room is given back
    one transaction: file readable, "completed"

Whatever the store answers, the object itself decides: its metadata carries the upload's token. So
a lost reply, a second caller and a worker that died all end in the same single result.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from invenio_db import db
from invenio_files_rest.models import Bucket
from invenio_files_rest.signals import file_uploaded

from ..backends import ObjectInfo, ObjectStore
from ..core.errors import (
    BucketLocked,
    BucketNotFound,
    PartsRejected,
    StoreError,
    StorePartsRejected,
    StoreUnavailable,
    StoreUploadGone,
    UploadLost,
    UploadNotPending,
)
from ..core.parts import UploadedPart, check_claims, check_uploaded
from ..core.states import UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from ..signals import after_upload_complete, before_upload_complete
from .buckets import publish_file, remove_file
from .create import TOKEN_METADATA
from .parts import all_parts, object_key, opened_id

ASSEMBLY_TIME = timedelta(minutes=5)
"""How long a store may take to assemble an object. Until then an upload that neither has parts nor
an object may be in another caller's hands, and is not given up."""


def complete_upload(upload: Upload, claims: Mapping[int, str] | None = None) -> Upload:
    """Make the file of an upload readable, once; a repeated call returns the same upload.

    :param claims: the client's ETag by part number; the store's own list decides, a claim can only
        add doubt. None to rely on the store alone.
    :raises InputError: when parts are missing or wrong; the upload stays pending.
    :raises UploadNotPending: when the upload was aborted or has failed.
    :raises UploadLost: when the store has neither the parts nor the object.
    :raises StoreError: when the store gave no clear answer; call again.
    """
    if upload.state == UploadState.COMPLETED:
        return upload
    if upload.state not in (UploadState.PENDING, UploadState.COMPLETING):
        raise UploadNotPending(state=upload.state)
    _require_open_bucket(upload)
    if claims is not None:
        check_claims(upload.plan, claims)
    store = current_s3.store(upload.uri)
    try:
        parts = all_parts(store, upload)
    except StoreUploadGone as error:
        return _settle(upload, store, error)
    check_uploaded(upload.plan, parts, claims)

    before_upload_complete.send(current_s3.app, upload=upload)
    if upload.state == UploadState.PENDING and not upload.move(UploadState.COMPLETING):
        db.session.commit()
        return complete_upload(upload, claims)
    db.session.commit()
    return _assemble(upload, store, parts)


def is_proved(upload: Upload, info: ObjectInfo | None) -> bool:
    """Whether an object at the store is the one that this upload made."""
    return (
        info is not None
        and info.size == upload.size
        and info.metadata.get(TOKEN_METADATA) == upload.token
    )


def _require_open_bucket(upload: Upload) -> None:
    bucket = Bucket.get(upload.bucket_id)
    if bucket is None:
        raise BucketNotFound()
    if bucket.locked:
        raise BucketLocked()


def _assemble(upload: Upload, store: ObjectStore, parts: list[UploadedPart]) -> Upload:
    try:
        store.complete_upload(object_key(upload), opened_id(upload), parts)
    except StorePartsRejected as error:
        # A clear refusal: nothing was made, the parts can be mended in this very upload.
        upload.move(UploadState.PENDING)
        db.session.commit()
        raise PartsRejected(reason=error.context.get("reason")) from error
    except StoreError as error:
        return _settle(upload, store, error)
    return _settle(upload, store, None)


def _settle(upload: Upload, store: ObjectStore, error: StoreError | None) -> Upload:
    """Let the object decide, whatever the store answered to the call before."""
    info = store.head(object_key(upload))
    if info is not None:
        if is_proved(upload, info):
            return _publish(upload, info)
        return _fail(upload, "another object is in its place")
    if not isinstance(error, StoreUploadGone):
        raise error or StoreUnavailable(reason="the new object cannot be seen yet")
    if upload.state == UploadState.COMPLETING and utcnow() - upload.updated_at < ASSEMBLY_TIME:
        raise StoreUnavailable(reason="the upload is just being completed")
    return _fail(upload, "neither its parts nor its object are there")


def _publish(upload: Upload, info: ObjectInfo) -> Upload:
    """Make the file readable and the row completed, in one transaction; the first caller wins."""
    if upload.state == UploadState.PENDING:
        upload.move(UploadState.COMPLETING)
    if upload.state == UploadState.COMPLETED:
        db.session.commit()
        return upload
    if upload.state != UploadState.COMPLETING:
        db.session.commit()
        return _lost_to_abort(upload)
    if not upload.move(UploadState.COMPLETED, etag=info.etag):
        db.session.commit()
        return _publish(upload, info)
    version = publish_file(upload)
    db.session.commit()
    after_upload_complete.send(current_s3.app, upload=upload)
    if version is not None:
        file_uploaded.send(current_s3.app, obj=version)
    return upload


def _lost_to_abort(upload: Upload) -> Upload:
    """Somebody aborted while the store assembled: the object must not stay behind."""
    current_s3.store(upload.uri).delete(object_key(upload))
    raise UploadNotPending(state=upload.state)


def _fail(upload: Upload, reason: str) -> Upload:
    """End an upload that the store has lost, give its room back and say so."""
    if upload.move(UploadState.FAILED, reason=reason):
        remove_file(upload)
    db.session.commit()
    if upload.state == UploadState.COMPLETED:
        return upload
    raise UploadLost(reason=reason)
