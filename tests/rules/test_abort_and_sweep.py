# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Dropping uploads: by a client, and by the sweep when their time has run out."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion

from oarepo_s3.api import MultipartUpload
from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.core.errors import StoreFault, StoreUnavailable, UploadNotPending
from oarepo_s3.core.states import UploadState
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import abort_upload, complete_upload, get_upload, sweep_expired
from oarepo_s3.services.batches import claim
from oarepo_s3.signals import before_upload_abort
from oarepo_s3.tasks import cleanup_expired_multipart_uploads

from .conftest import PART, limit
from .outcomes import size_of

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


def expire(*uploads):
    for upload in uploads:
        upload.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()


def test_abort_drops_parts_and_gives_the_room_back(begin, memory, bucket):
    upload = begin(content=b"x" * PART + b"y")
    assert abort_upload(upload).state == UploadState.ABORTED
    assert (memory.uploads, size_of(bucket)) == ({}, 0)
    assert abort_upload(upload).state == UploadState.ABORTED
    assert size_of(bucket) == 0


def test_abort_that_fails_at_the_store_is_finished_by_the_next_call(begin, memory, bucket):
    upload = begin()
    memory.fail("abort_upload", StoreUnavailable(reason="down"))
    with pytest.raises(StoreUnavailable):
        abort_upload(upload)
    assert upload.state == UploadState.ABORTING
    abort_upload(upload)
    assert (upload.state, memory.uploads, size_of(bucket)) == (UploadState.ABORTED, {}, 0)


def test_abort_is_repeated_while_parts_in_flight_arrive(begin, memory, monkeypatch):
    upload = begin(content=b"x" * PART + b"y")
    original, calls = type(memory).abort_upload, []

    def lazy(self, key, upload_id):
        calls.append(upload_id)
        if len(calls) == 3:
            original(self, key, upload_id)

    monkeypatch.setattr(type(memory), "abort_upload", lazy)
    abort_upload(upload)
    assert (len(calls), memory.uploads) == (3, {})


def test_parts_that_never_go_are_an_error_and_not_called_aborted(begin, memory, monkeypatch):
    upload = begin(content=b"x")
    monkeypatch.setattr(type(memory), "abort_upload", lambda self, key, upload_id: None)
    with pytest.raises(StoreFault):
        abort_upload(upload)
    assert upload.state == UploadState.ABORTING


def test_an_object_that_a_lost_complete_made_is_deleted_by_abort(begin, memory):
    upload = begin(content=b"xyz")
    memory.fail("complete_upload", StoreUnavailable(reason="timeout"), after=True)
    memory.fail("head", StoreUnavailable(reason="timeout"))
    with pytest.raises(StoreUnavailable):
        complete_upload(upload)
    abort_upload(upload)
    assert upload.state == UploadState.ABORTED
    with pytest.raises(KeyError):
        memory.read(upload.uri.removeprefix("memory://rules/"))


def test_an_upload_completed_while_it_was_to_be_aborted_keeps_its_object(begin, memory):
    upload = begin(content=b"xyz")

    def faster(sender, upload):
        complete_upload(upload)

    with before_upload_abort.connected_to(faster), pytest.raises(UploadNotPending):
        abort_upload(upload)
    assert upload.state == UploadState.COMPLETED
    assert memory.read(upload.uri.removeprefix("memory://rules/")) == b"xyz"


def test_abort_of_an_assigned_upload_removes_version_and_file(memory, bucket):
    old = ObjectVersion.create(bucket, "a")
    db.session.commit()
    mu = MultipartUpload("a", bucket.location.uri, 3600, 1000)
    version = ObjectVersion.create(bucket, "a", stream=mu)
    db.session.commit()
    file_id = version.file_id
    assert (size_of(bucket), FileInstance.get(file_id).readable) == (1000, False)

    abort_upload(Upload.query.filter_by(version_id=version.version_id).one())

    assert size_of(bucket) == 0
    assert FileInstance.get(file_id) is None
    assert [v.version_id for v in ObjectVersion.get_versions(bucket, "a")] == [old.version_id]
    assert db.session.get(ObjectVersion, old.version_id).is_head


def test_room_given_back_by_a_delete_is_not_given_back_again(memory, bucket):
    mu = MultipartUpload("a", bucket.location.uri, 3600, 1000)
    version = ObjectVersion.create(bucket, "a", stream=mu)
    db.session.commit()
    ObjectVersion.delete(bucket, "a")
    db.session.commit()
    assert size_of(bucket) == 0

    abort_upload(Upload.query.filter_by(version_id=version.version_id).one())

    assert size_of(bucket) == 0


def test_the_sweep_drops_what_is_over_time_and_nothing_else(begin, memory, bucket):
    over = [begin(f"over {i}", content=b"x" * 10) for i in range(3)]
    fresh, done = begin("fresh", size=5), begin("done", content=b"abc")
    complete_upload(done)
    expire(*over, done)

    counts = cleanup_expired_multipart_uploads.delay().result

    assert counts == {"expired": 3, "aborted": 3, "failed": 0}
    assert [get_upload(u.id).state for u in over] == ["aborted"] * 3
    assert [get_upload(u.id).state for u in (fresh, done)] == ["pending", "completed"]
    assert size_of(bucket) == 5 + 3
    assert list(memory.uploads) == [fresh.store_upload_id]
    assert cleanup_expired_multipart_uploads() == {"expired": 0, "aborted": 0, "failed": 0}


def test_the_sweep_works_in_batches(app, begin, memory, monkeypatch):
    app.config["OAREPO_S3_SWEEP_BATCH"] = 2
    taken = []
    original = Upload.move

    def spy(self, new, **changes):
        taken.append(new)
        return original(self, new, **changes)

    try:
        expire(*[begin(f"f{i}", size=1) for i in range(5)])
        monkeypatch.setattr(Upload, "move", spy)
        assert sweep_expired().as_dict() == {"expired": 5, "aborted": 5, "failed": 0}
    finally:
        app.config["OAREPO_S3_SWEEP_BATCH"] = 100
    assert memory.uploads == {}
    two = ["expired", "expired", "aborted", "aborted"]
    assert taken == [*two, *two, "expired", "aborted"]


def test_one_failure_does_not_stop_the_sweep_and_is_tried_again(begin, memory, bucket):
    uploads = [begin(f"f{i}", size=10) for i in range(3)]
    expire(*uploads)
    memory.fail("abort_upload", StoreUnavailable(reason="down"))

    assert sweep_expired().as_dict() == {"expired": 3, "aborted": 2, "failed": 1}
    assert sorted(get_upload(u.id).state for u in uploads) == ["aborted", "aborted", "expired"]
    assert size_of(bucket) == 10
    assert sweep_expired().as_dict() == {"expired": 0, "aborted": 1, "failed": 0}
    assert (size_of(bucket), memory.uploads) == (0, {})


def test_uploads_are_dropped_side_by_side_and_no_more_than_allowed(app, begin, memory, monkeypatch):
    app.config["OAREPO_S3_SWEEP_THREADS"] = 3
    expire(*[begin(f"f{i}", size=1) for i in range(7)])
    running, most = [], []
    original = MemoryStore.abort_upload

    def watched(self, key, upload_id):
        running.append(upload_id)
        most.append(len(running))
        time.sleep(0.02)
        running.remove(upload_id)
        original(self, key, upload_id)

    monkeypatch.setattr(MemoryStore, "abort_upload", watched)
    try:
        assert sweep_expired().aborted == 7
    finally:
        app.config["OAREPO_S3_SWEEP_THREADS"] = 8
    assert max(most) == 3


def test_a_worker_that_died_holds_its_uploads_until_its_lease_ends(begin, memory):
    upload = begin(size=1)
    expire(upload)
    for batch in claim(Upload.state == "pending"):
        assert [u.id for u in batch] == [upload.id]
        break  # as if it had died here
    assert sweep_expired().as_dict() == {"expired": 0, "aborted": 0, "failed": 0}
    upload.rests_until = utcnow()
    db.session.commit()
    assert sweep_expired().aborted == 1


def test_the_sweep_gives_room_back_in_a_locked_bucket(begin, bucket):
    upload = begin(size=10)
    limit(bucket, locked=True)
    expire(upload)
    assert sweep_expired().aborted == 1
    assert size_of(bucket) == 0


def test_an_upload_that_was_never_opened_does_not_hold_its_room_for_long(begin, bucket):
    died, opened = begin(size=10), begin(size=5)
    died.store_upload_id = None
    db.session.commit()
    assert sweep_expired().expired == 0
    for upload in (died, opened):
        upload.created_at = utcnow() - timedelta(minutes=61)
    db.session.commit()
    assert sweep_expired().as_dict() == {"expired": 1, "aborted": 1, "failed": 0}
    assert size_of(bucket) == 5


def test_a_row_without_the_stores_id_is_swept_by_its_key(begin, memory):
    upload = begin(content=b"x")
    upload.store_upload_id = None
    expire(upload)
    assert sweep_expired().aborted == 1
    assert memory.uploads == {}


def test_of_two_uploads_below_a_delete_marker_each_gives_its_own_room_back(memory, bucket):
    versions = []
    for size in (10, 200):
        mu = MultipartUpload("a", bucket.location.uri, 3600, size)
        versions.append(ObjectVersion.create(bucket, "a", stream=mu).version_id)
        db.session.commit()
    ObjectVersion.delete(bucket, "a")
    db.session.commit()
    assert size_of(bucket) == 10  # of the older one, as files-rest counts

    for version_id in reversed(versions):
        abort_upload(Upload.query.filter_by(version_id=version_id).one())

    assert size_of(bucket) == 0
    assert ObjectVersion.get(bucket, "a") is None
