# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Whoever takes over what a form has sent may die at any line, and nothing is left of the form."""

from __future__ import annotations

from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import (
    NewUpload,
    abort_upload,
    complete_upload,
    create_upload,
    get_upload,
    open_form,
    recover_interrupted,
    sweep_expired,
)
from oarepo_s3.services.forms import SLOWEST_FORM

from ..people import http
from .deaths import CONTENT, age, is_gone, is_there

COMPLETE = [
    "after store.head",
    "before store.copy_part",
    "after store.copy_part",
    "before store.list_parts 2",
    "after store.complete_upload",
    "before store.delete",
    "after store.delete",
]
RECOVER = ["after store.head", "after store.copy_part", "after store.delete", "after commit 3"]
ABORT = ["after store.abort_upload", "before store.delete", "after store.delete"]


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A store that is known to take forms."""
    app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


@pytest.fixture
def form_upload(bucket) -> Upload:
    """An upload whose file was sent by a form."""
    upload = create_upload(NewUpload(bucket_id=bucket.id, key="a", size=len(CONTENT), num_parts=1))
    form = open_form(upload)
    fields = {**form.fields, "file": ("blob", CONTENT)}
    assert http.request("POST", form.url, fields=fields).status == 201
    return upload


def left_by_forms(store):
    """Count what lies there of uploads of this database; other tests have theirs in the bucket."""
    listed = store.client().list_objects_v2(Bucket=store.bucket, Prefix="oarepo-s3-forms/")
    own = {f"oarepo-s3-forms/{upload_id}" for upload_id in db.session.scalars(db.select(Upload.id))}
    return len(own & {found["Key"] for found in listed.get("Contents", [])})


def let_time_pass():
    """More than a store needs to assemble, and more than a lease."""
    age(rests_until=None, updated_at=utcnow() - timedelta(minutes=20))


def sweep_forms():
    """Let the form expire, and everything be swept."""
    age(rests_until=None, form_until=utcnow() - SLOWEST_FORM)
    assert sweep_expired().failed == 0


@pytest.mark.parametrize("line", COMPLETE)
@pytest.mark.parametrize("by", ["a repeated call", "the recovery"])
def test_complete(mortal, store, bucket, form_upload, line, by):
    mortal.die(line, "complete", upload=str(form_upload.id))
    if by == "the recovery":
        let_time_pass()
        begun = get_upload(form_upload.id).state
        assert recover_interrupted().completed == (begun != "completed")
    else:
        complete_upload(get_upload(form_upload.id))
    assert is_there(store, bucket, get_upload(form_upload.id))
    sweep_forms()
    assert is_there(store, bucket, get_upload(form_upload.id))
    assert left_by_forms(store) == 0


@pytest.mark.parametrize("line", RECOVER)
def test_recovery(mortal, store, bucket, form_upload, line):
    mortal.die(line, "recover")
    let_time_pass()
    begun = get_upload(form_upload.id).state
    assert recover_interrupted().completed == (begun != "completed")
    assert is_there(store, bucket, get_upload(form_upload.id))
    sweep_forms()
    assert left_by_forms(store) == 0


@pytest.mark.parametrize("line", ABORT)
def test_abort(mortal, store, bucket, form_upload, line):
    mortal.die(line, "abort", upload=str(form_upload.id))
    assert abort_upload(get_upload(form_upload.id)).state == "aborted"
    assert is_gone(store, bucket, get_upload(form_upload.id))
    assert left_by_forms(store) == 0


@pytest.mark.parametrize(
    "line",
    [
        "before commit 1",
        "after commit 1",
        "before store.delete",
        "after store.delete",
        "before commit 2",
        "after commit 2",
    ],
)
def test_sweep_of_what_came_too_late(mortal, store, bucket, form_upload, line):
    form = open_form(form_upload)
    complete_upload(form_upload)
    fields = {**form.fields, "file": ("blob", CONTENT[::-1])}
    assert http.request("POST", form.url, fields=fields).status == 201
    age(form_until=utcnow() - SLOWEST_FORM)
    mortal.die(line, "sweep")
    age(rests_until=None)
    assert sweep_expired().failed == 0
    assert left_by_forms(store) == 0
    assert is_there(store, bucket, get_upload(form_upload.id))
    assert get_upload(form_upload.id).form_until is None
