# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Small files by Companion's route for them: one form, and nobody calls when it has been sent."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion

from oarepo_s3.core.errors import StoreMisconfigured, StoreUnavailable
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.tasks import cleanup_expired_multipart_uploads as sweep
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import LOCAL, REAL
from ..people import http

CONTENT = os.urandom(1000)
ON_CEPH = pytest.mark.parametrize("place", [REAL], indirect=True)
ON_RCLONE = pytest.mark.parametrize("place", [LOCAL], indirect=True)


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """The store's kind is told, where it is one that takes forms."""
    app_config["OAREPO_S3_PROFILE"] = {"real": "ceph", "local": "other"}[place]
    return app_config


@pytest.fixture(autouse=True)
def _only_own_rows(database):
    db.session.execute(db.delete(Upload))
    db.session.commit()


def only_upload():
    db.session.expire_all()
    return Upload.query.one()


def downloaded(uploader, bucket, key):
    redirect = uploader.download(bucket, key)
    assert redirect.status_code == 302
    return http.request("GET", redirect.headers["Location"]).data


def form_of(uppy, size, name="small file.bin"):
    answer = uppy.params(name, size)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()


@ON_CEPH
@pytest.mark.parametrize("content", [CONTENT, b"", os.urandom(6 * 2**20)], ids=len)
def test_a_file_that_was_sent_by_a_form_is_there_after_the_task(uppy, uploader, bucket, content):
    form = form_of(uppy, len(content))
    assert (form["method"], form["expires"]) == ("POST", 24 * 3600)
    assert Bucket.get(bucket.id).size == len(content)
    assert uppy.post(form, content).status == 201
    assert ObjectVersion.get(bucket.id, "small file.bin") is None

    assert recover()["completed"] == 1

    assert downloaded(uploader, bucket, "small file.bin") == content
    upload = only_upload()
    assert (upload.state, upload.num_parts, upload.content_type) == ("completed", 1, "text/plain")
    assert Bucket.get(bucket.id).size == len(content)


@ON_CEPH
def test_a_page_that_does_not_want_to_wait_completes_it(uppy, uploader, bucket):
    form = form_of(uppy, len(CONTENT))
    uppy.post(form, CONTENT)
    upload_id = form["fields"]["key"].rpartition("/")[2]
    created = {"uploadId": upload_id, "key": "small file.bin"}
    answer = uppy.of(created, "/complete", "POST")
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert downloaded(uploader, bucket, "small file.bin") == CONTENT


@ON_CEPH
def test_a_form_that_is_still_valid_cannot_touch_the_file(uppy, uploader, bucket, store):
    form = form_of(uppy, len(CONTENT))
    uppy.post(form, CONTENT)
    recover()
    staged, final = form["fields"]["key"], StoredUpload.of(only_upload()).key
    listed = store.client().list_objects_v2(Bucket=store.bucket, Prefix=staged)
    assert listed["KeyCount"] == 0

    assert uppy.post(form, CONTENT[::-1]).status == 201
    assert uppy.post({**form, "fields": {**form["fields"], "key": final}}, CONTENT).status == 403
    assert downloaded(uploader, bucket, "small file.bin") == CONTENT

    db.session.execute(db.update(Upload).values(form_until=utcnow() - timedelta(days=2)))
    db.session.commit()
    assert sweep()["failed"] == 0
    listed = store.client().list_objects_v2(Bucket=store.bucket, Prefix=staged)
    assert listed["KeyCount"] == 0


@ON_CEPH
def test_a_form_takes_as_many_bytes_as_were_announced(uppy):
    form = form_of(uppy, len(CONTENT))
    for content in (CONTENT + b"x", CONTENT[1:], b""):
        assert uppy.post(form, content).status == 400
    assert recover()["completed"] == 0
    assert only_upload().state == "pending"


@ON_CEPH
def test_the_room_is_reserved_and_the_quota_holds(uppy, bucket):
    db.session.get(Bucket, bucket.id).quota_size = len(CONTENT)
    db.session.commit()
    form_of(uppy, len(CONTENT))
    answer = uppy.params("more", 1)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "quota_exceeded")


@ON_CEPH
def test_who_may_no_longer_upload_gets_no_form(uppy, uploader, bucket):
    uploader.revoke(bucket)
    assert uppy.params("a", 1).status_code in (403, 404)
    assert Upload.query.count() == 0


@ON_CEPH
def test_a_file_of_several_gigabytes_gets_no_form(uppy):
    answer = uppy.params("a", 5 * 2**30 + 1)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_size")
    assert Upload.query.count() == 0


@ON_RCLONE
def test_a_store_that_takes_no_forms_says_what_to_do(uppy, bucket):
    answer = uppy.params("a", 3)
    assert answer.status_code == 400
    assert answer.get_json()["code"] == "form_not_possible"
    assert "shouldUseMultipart" in answer.status
    assert only_upload().state == "aborted"
    assert Bucket.get(bucket.id).size == 0


def raising(error):
    def call(*args):
        raise error

    return call


@ON_CEPH
@pytest.mark.parametrize("dropped", [True, False])
def test_when_there_is_no_form_the_upload_is_dropped(uppy, monkeypatch, dropped):
    monkeypatch.setattr(
        "oarepo_s3.views.companion.open_form", raising(StoreUnavailable(reason="down"))
    )
    if not dropped:
        refused = raising(StoreMisconfigured(reason="no"))
        monkeypatch.setattr("oarepo_s3.views.targets.abort_upload", refused)
    answer = uppy.params("a", 3)
    assert answer.get_json()["code"] == "store_unavailable"
    assert only_upload().state == ("aborted" if dropped else "pending")


@ON_CEPH
def test_a_head_request_opens_nothing(app, uppy):
    query = {"filename": "a", "type": "text/plain", "metadata[size]": "3"}
    asked = app.test_client().head(f"{uppy.endpoint}/s3/params", query_string=query)
    assert asked.status_code == 405
    assert Upload.query.count() == 0


@pytest.mark.parametrize("size", [None, "", "x", "-1", "1.5", str(2**70)])
def test_a_size_that_is_none_is_refused(uppy, size):
    answer = uppy.params("a", size)
    assert (answer.status_code, answer.get_json()["code"]) in {
        (400, "invalid_request"),
        (400, "invalid_size"),
    }
    assert Upload.query.count() == 0
