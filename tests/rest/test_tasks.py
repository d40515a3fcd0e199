# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tasks against a real store: what nobody asks for any more goes, and nothing else."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.api import MultipartUpload
from oarepo_s3.core.times import utcnow
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.models import Upload
from oarepo_s3.tasks import (
    cleanup_expired_multipart_uploads,
    recover_interrupted_multipart_uploads,
    sweep_orphaned_multipart_uploads,
)

from ..people import http, send_parts
from .outcomes import change as age
from .outcomes import size_of

NOTHING = {"found": 0, "aborted": 0, "failed": 0, "bytes": 0, "unlisted": []}


@pytest.fixture(autouse=True)
def _only_own_uploads(app, store, _no_older_uploads):
    store.abort_open_uploads()


@pytest.fixture
def no_grace(app):
    """Orphans need no age."""
    app.config["OAREPO_S3_ORPHAN_GRACE"] = -60
    yield
    app.config["OAREPO_S3_ORPHAN_GRACE"] = 24 * 3600


def test_the_sweep_drops_many_at_the_store_and_leaves_the_others(uploader, bucket, store):
    over = [uploader.begin(bucket, f"over {n}", 3) for n in range(12)]
    fresh = uploader.begin(bucket, "fresh", 3)
    for upload in (*over, fresh):
        send_parts(upload, b"abc")
    for upload in over:
        age(upload, expires_at=utcnow() - timedelta(seconds=1))

    counts = cleanup_expired_multipart_uploads()

    assert counts == {"expired": 12, "aborted": 12, "failed": 0}
    assert len(store.open_uploads()) == 1
    assert size_of(bucket) == 3
    assert http.request("PUT", over[0]["urls"][0]["url"], body=b"abc").status == 404
    assert uploader.complete(fresh).status_code == 200


def test_an_upload_that_a_lifecycle_rule_took_fails_with_a_reason(uploader, bucket, store):
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    kept = uploader.begin(bucket, "b", 3)
    for each in (upload, kept):
        age(each, created_at=utcnow() - timedelta(days=1))
    row = db.session.get(Upload, upload["id"])
    store.client().abort_multipart_upload(
        Bucket=store.bucket, Key=ObjectURI.parse(row.uri).key, UploadId=row.store_upload_id
    )

    counts = recover_interrupted_multipart_uploads()

    assert counts == {"completed": 0, "aborted": 0, "lost": 1, "failed": 0}
    seen = uploader.get(upload["links"]["self"]).get_json()
    assert (seen["state"], "lifecycle rule" in seen["reason"]) == ("failed", True)
    assert uploader.get(kept["links"]["self"]).get_json()["state"] == "pending"
    assert size_of(bucket) == 3
    again = uploader.upload(bucket, "a", b"abc")
    assert again["state"] == "completed"
    assert uploader.download(bucket, "a").status_code == 302


def test_who_lists_the_parts_of_a_dropped_upload_learns_of_it_at_once(uploader, bucket, store):
    upload = uploader.begin(bucket, "a", 3)
    row = db.session.get(Upload, upload["id"])
    store.client().abort_multipart_upload(
        Bucket=store.bucket, Key=ObjectURI.parse(row.uri).key, UploadId=row.store_upload_id
    )
    answer = uploader.get(upload["links"]["parts"])
    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_lost")
    assert uploader.get(upload["links"]["self"]).get_json()["state"] == "failed"
    assert size_of(bucket) == 0


def test_orphans_are_found_and_aborted_and_others_uploads_are_not(
    uploader, bucket, store, location, no_grace
):
    session = uploader.begin(bucket, "known", 3)
    send_parts(session, b"abc")
    mu = MultipartUpload("rolled back", location.uri, 3600, 4)
    ObjectVersion.create(bucket, "rolled back", stream=mu)
    assert http.request("PUT", mu.session.part_urls[0], body=b"abcd").status == 200
    db.session.rollback()
    own = ObjectURI.parse(db.session.get(Upload, session["id"]).uri).key
    client = store.client()
    for key in ("other app/file.bin", f"{own.rpartition('/')[0]}/data", "ab/cd/ef/data"):
        client.create_multipart_upload(Bucket=store.bucket, Key=key)
    before = store.open_uploads()
    assert len(before) == 5

    found = {**NOTHING, "found": 1, "bytes": 4}
    assert sweep_orphaned_multipart_uploads() == found
    assert store.open_uploads() == before
    assert sweep_orphaned_multipart_uploads(dry_run=False) == {**found, "aborted": 1}
    assert sweep_orphaned_multipart_uploads(dry_run=False) == NOTHING

    left = store.open_uploads()
    assert set(left) < set(before)
    assert len(left) == 4
    assert uploader.complete(session).status_code == 200


def test_a_file_that_came_through_the_server_is_no_orphan(bucket, store, location, no_grace):
    ObjectVersion.create(bucket, "streamed", stream=io.BytesIO(b"x" * 100))
    db.session.commit()
    assert sweep_orphaned_multipart_uploads(dry_run=False) == NOTHING
