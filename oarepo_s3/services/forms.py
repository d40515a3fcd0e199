# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A file in one form, for clients that send small files in no other way (Uppy, above all).

A form stays valid until it expires, whatever became of the upload, so it must never write to where
a verified file lies. It makes an object of its own, below ``oarepo-s3-forms/`` in the location and
named by the upload; completing copies that object into the part, and goes on as ever. The row knows
of the object until the form can no longer make it again.
"""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial

import sqlalchemy as sa
from invenio_files_rest.models import Bucket

from ..backends import Form, TakesForms
from ..core.errors import BucketNotFound, FormNotPossible, UploadLost
from ..core.keys import FORMS_FOLDER
from ..core.states import FINAL_STATES, UploadState
from ..core.times import utcnow
from ..core.uris import ObjectURI
from ..models import Upload
from ..proxies import current_s3
from .batches import ask_stores, attempt, claim, release
from .parts import url_lifetime
from .stored import StoredUpload
from .transactions import committing

SLOWEST_FORM = timedelta(days=1)
"""How long a form that was begun in time may take to arrive: stores look at the clock when it
begins."""


def open_form(upload: Upload) -> Form:
    """Return a form that sends the whole file of an open upload.

    :raises FormNotPossible: when the store does not take forms, or the file has several parts.
    :raises UploadNotPending: when the upload takes nothing any more.
    :raises UploadExpired: when its time has run out.
    """
    now = utcnow()
    lifetime = url_lifetime(upload, now)
    store = current_s3.store(upload.uri)
    if not (isinstance(store, TakesForms) and store.profile.forms):
        raise FormNotPossible(reason="the object store is not known to take forms")
    if upload.store_upload_id is None:
        raise UploadLost(reason="it was never opened there")
    if upload.num_parts > 1:
        raise FormNotPossible(reason=f"it has {upload.num_parts} parts")
    with committing():
        uri = stage(upload, now + lifetime)
    return store.presign_form(ObjectURI.parse(uri).key, size=upload.size, lifetime=lifetime)


def stage(upload: Upload, until: datetime) -> str:
    """Give the upload a place of its own to send the file to; return the URI of the object there.

    Known before anybody can send it; the caller commits.

    :param until: aware UTC time at which what is handed out for it ends; the latest one counts.
    :raises FormNotPossible: where the store could not copy from.
    """
    uri = upload.form_uri = form_uri(upload)
    upload.form_until = max(upload.form_until or until, until)
    return uri


def form_uri(upload: Upload) -> str:
    """Return the URI of the object to which the file of an upload is sent by a form or by keys.

    :raises FormNotPossible: where the store could not copy from.
    """
    if upload.form_uri:
        return upload.form_uri
    bucket = Bucket.get(upload.bucket_id)
    if bucket is None:
        raise BucketNotFound()
    if "%" in bucket.location.uri:
        # RGW 16.2 decodes it twice when it copies, finds nothing, or dies of it (measured).
        raise FormNotPossible(reason="the address of the location has a % in it")
    return f"{bucket.location.uri.rstrip('/')}/{FORMS_FOLDER}/{upload.id}"


def form_is_out() -> sa.ColumnElement[bool]:
    """SQL: open uploads for which a form was handed out."""
    return sa.and_(Upload.state == UploadState.PENDING.value, Upload.form_until.is_not(None))


def commit_forms() -> int:
    """Commit the files of records that came by forms and were not committed; return how often that
    failed.

    The end of the upload has told the receiver once: its worker may have died before, and the
    commit may have failed. Who has been committed is not looked at again.
    """
    commit = current_s3.commit_form
    if commit is None:
        return 0
    failed = 0
    come = sa.and_(
        Upload.state == UploadState.COMPLETED.value,
        Upload.record_service.is_not(None),
        Upload.form_until > utcnow() - SLOWEST_FORM,
    )
    for batch in claim(come):
        for upload in batch:
            done = attempt(lambda upload: commit(current_s3.app, upload=upload), upload)
            failed += not done
            with committing():
                release(upload, upload.form_until + SLOWEST_FORM if done else None)
    return failed


def clear_forms() -> int:
    """Remove what forms have sent after their upload had ended; return how often that failed.

    Each is removed once, when nothing can come any more.
    """
    failed = 0
    over = sa.and_(
        Upload.state.in_([state.value for state in FINAL_STATES]),
        Upload.form_until <= utcnow() - SLOWEST_FORM,
    )
    for batch in claim(over):
        for upload, removed in ask_stores(StoredUpload.clear_form, batch):
            done = attempt(partial(_look_at, removed), upload)
            failed += not done
            with committing():
                if done:
                    upload.form_uri = upload.form_until = None
                release(upload)
    return failed


def _look_at(removed: Future[None], upload: Upload) -> None:
    removed.result()
