# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""To which uploads forms are given, and what a form allows."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.core.errors import (
    BucketNotFound,
    FormNotPossible,
    StorePartsRejected,
    UploadExpired,
    UploadLost,
    UploadNotPending,
)
from oarepo_s3.core.times import utcnow
from oarepo_s3.services import abort_upload, open_form
from oarepo_s3.services.stored import StoredUpload

from ..conftest import PART, age
from .conftest import CONTENT

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


def test_a_form_takes_the_declared_size_and_no_other(memory, pending):
    form = open_form(pending())
    with pytest.raises(StorePartsRejected):
        memory.post_form(form, CONTENT + b"x")


def test_a_form_expires_with_its_upload(app, pending):
    upload = pending()
    whole = open_form(upload).expires_in
    assert whole == timedelta(seconds=app.config["OAREPO_S3_PART_URL_LIFETIME"])
    age(form_until=None, expires_at=utcnow() + timedelta(minutes=5))
    db.session.refresh(upload)
    assert open_form(upload).expires_in <= timedelta(minutes=5)
    assert upload.form_until <= upload.expires_at


def test_a_form_shows_no_fields(pending):
    form = open_form(pending())
    assert form.fields["key"] not in repr(form)


def several_parts(begin, pending):
    return begin(size=PART + 1)


def ended(begin, pending):
    return abort_upload(pending())


def expired(begin, pending):
    upload = pending()
    age(expires_at=utcnow() - timedelta(seconds=1))
    db.session.refresh(upload)
    return upload


def never_opened(begin, pending):
    upload = pending()
    age(store_upload_id=None)
    db.session.refresh(upload)
    return upload


def without_bucket(begin, pending):
    upload = pending()
    age(bucket_id=upload.id)
    db.session.refresh(upload)
    return upload


def strange_location(begin, pending):
    upload = pending()
    bucket = db.session.get(Bucket, upload.bucket_id)
    bucket.location = Location(name=f"x{uuid.uuid4().hex[:8]}", uri="memory://rules/a%20b")
    db.session.commit()
    return upload


REFUSED = {
    strange_location: FormNotPossible,
    several_parts: FormNotPossible,
    ended: UploadNotPending,
    expired: UploadExpired,
    never_opened: UploadLost,
    without_bucket: BucketNotFound,
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.__name__)
def test_no_form_is_given_for_what_it_could_not_send(begin, pending, case):
    upload = case(begin, pending)
    with pytest.raises(REFUSED[case]):
        open_form(upload)
    db.session.refresh(upload)
    assert upload.form_until is None


def test_a_store_that_takes_no_forms_gives_none(pending, monkeypatch):
    upload = pending()
    profile = StoredUpload.of(upload).store.profile
    monkeypatch.setattr(
        type(StoredUpload.of(upload).store), "profile", type(profile)("other"), raising=True
    )
    with pytest.raises(FormNotPossible, match="shouldUseMultipart"):
        open_form(upload)
