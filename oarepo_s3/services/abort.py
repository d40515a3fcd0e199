# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Drop an upload: parts, object, version, file, and give the room back."""

from __future__ import annotations

from invenio_db import db

from ..backends import ObjectStore
from ..core.errors import StoreFault, StoreUploadGone, UploadNotPending
from ..core.states import UploadState
from ..models import Upload
from ..proxies import current_s3
from ..signals import after_upload_abort, before_upload_abort
from .buckets import remove_file
from .complete import is_proved
from .parts import object_key

ABORT_ROUNDS = 5
"""Parts in flight can survive an abort (S3 API reference, AbortMultipartUpload): it is repeated
until the store has none, this often."""

_ENDED = (UploadState.ABORTED, UploadState.FAILED)


def abort_upload(upload: Upload) -> Upload:
    """Drop an upload by the wish of a client; a repeated call returns the same upload.

    :raises UploadNotPending: when the upload is completed.
    :raises StoreError: when the store did not do it; the row stays aborting, call again.
    """
    if upload.state in _ENDED:
        return upload
    if upload.state == UploadState.COMPLETED:
        raise UploadNotPending(state=upload.state)
    before_upload_abort.send(current_s3.app, upload=upload)
    if upload.state in (UploadState.PENDING, UploadState.COMPLETING):
        moved = upload.move(UploadState.ABORTING)
        db.session.commit()
        if not moved:
            return abort_upload(upload)
    return drop_upload(upload)


def drop_upload(upload: Upload) -> Upload:
    """Finish what ``aborting`` or ``expired`` began; safe to repeat and to run twice at once.

    :raises StoreError: when the store did not do it; the state stays as it is.
    """
    _clear_store(current_s3.store(upload.uri), upload)
    moved = upload.move(UploadState.ABORTED)
    if moved:
        remove_file(upload)
    db.session.commit()
    if moved:
        after_upload_abort.send(current_s3.app, upload=upload)
    return upload


def _clear_store(store: ObjectStore, upload: Upload) -> None:
    key = object_key(upload)
    # A server that stopped between the store's answer and the commit left a row without an id:
    # the key is unique to the upload, so the store can tell.
    known = upload.store_upload_id
    for upload_id in [known] if known else store.find_uploads(key):
        _abort_until_gone(store, key, upload_id)
    # A complete call that was under way may have made the object after all.
    info = store.head(key)
    if is_proved(upload, info):
        store.delete(key)


def _abort_until_gone(store: ObjectStore, key: str, upload_id: str) -> None:
    for _ in range(ABORT_ROUNDS):
        store.abort_upload(key, upload_id)
        try:
            if not store.list_parts(key, upload_id, limit=1).parts:
                return
        except StoreUploadGone:
            return
    raise StoreFault(reason="parts were still there after repeated aborts")
