# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Completion: whatever the store answers, one true result."""

from __future__ import annotations

from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion

from oarepo_s3.core.errors import (
    BucketLocked,
    BucketNotFound,
    PartsRejected,
    StoreDenied,
    StoreFault,
    StorePartsRejected,
    StoreUnavailable,
    StoreUploadGone,
    UploadLost,
    UploadNotPending,
)
from oarepo_s3.core.states import UploadState
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import abort_upload, complete_upload
from oarepo_s3.services.stored import StoredUpload

from .conftest import PART, limit
from .outcomes import size_of

CONTENT = b"x" * PART + b"y"


def published(upload, memory):
    """Whether the file can be read, once, with the right bytes and size."""
    versions = ObjectVersion.query.filter_by(bucket_id=upload.bucket_id, key=upload.key).all()
    return (
        [version.is_head for version in versions] == [True]
        and versions[0].file.readable
        and versions[0].file.checksum == upload.checksum
        and memory.read(StoredUpload.of(upload).key) == CONTENT
        and size_of(Bucket.get(upload.bucket_id)) == len(CONTENT)
    )


def test_a_lost_reply_of_the_store_ends_in_the_completed_file(begin, memory):
    upload = begin(content=CONTENT)
    memory.fail("complete_upload", StoreUnavailable(reason="ReadTimeoutError"), after=True)
    assert complete_upload(upload).state == UploadState.COMPLETED
    assert published(upload, memory)


@pytest.mark.parametrize(
    "error", [StoreUnavailable, StoreFault, StoreDenied], ids=lambda error: error.code
)
def test_a_store_that_did_nothing_leaves_an_upload_that_completes_later(begin, memory, error):
    upload = begin(content=CONTENT)
    memory.fail("complete_upload", error(reason="down"))
    with pytest.raises(error):
        complete_upload(upload)
    assert upload.state == UploadState.COMPLETING
    complete_upload(upload)
    assert published(upload, memory)


def test_a_worker_that_died_after_the_store_had_assembled_is_made_good(begin, memory):
    upload = begin(content=CONTENT)
    memory.fail("head", StoreUnavailable(reason="down"))
    with pytest.raises(StoreUnavailable):
        complete_upload(upload)
    assert (upload.state, memory.uploads) == (UploadState.COMPLETING, {})
    complete_upload(upload)
    assert published(upload, memory)


def test_an_object_made_while_the_row_was_still_pending_is_published(begin, memory):
    upload = begin(content=CONTENT)
    page = memory.list_parts(StoredUpload.of(upload).key, upload.store_upload_id)
    memory.complete_upload(StoredUpload.of(upload).key, upload.store_upload_id, page.parts)
    complete_upload(upload)
    assert published(upload, memory)


def test_a_refused_list_of_parts_leaves_the_upload_pending(begin, memory):
    upload = begin(content=CONTENT)
    memory.fail("complete_upload", StorePartsRejected(reason="InvalidPart"))
    with pytest.raises(PartsRejected):
        complete_upload(upload)
    assert upload.state == UploadState.PENDING
    complete_upload(upload)
    assert published(upload, memory)


def test_an_upload_that_the_store_has_dropped_fails_and_gives_the_room_back(begin, memory, bucket):
    upload = begin(content=CONTENT)
    memory.abort_upload(StoredUpload.of(upload).key, upload.store_upload_id)
    with pytest.raises(UploadLost):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.FAILED, 0)
    assert upload.reason
    with pytest.raises(UploadNotPending):
        complete_upload(upload)


def test_an_upload_in_another_callers_hands_is_not_given_up(begin, memory, bucket):
    upload = begin(content=CONTENT)
    upload.move(UploadState.COMPLETING)
    db.session.commit()
    memory.fail("list_parts", StoreUploadGone(reason="NoSuchUpload"))
    with pytest.raises(StoreUnavailable):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.COMPLETING, len(CONTENT))


def test_an_upload_that_stays_gone_is_given_up_in_the_end(begin, memory, bucket):
    upload = begin(content=CONTENT)
    upload.move(UploadState.COMPLETING)
    upload.updated_at = utcnow() - timedelta(minutes=6)
    db.session.commit()
    memory.abort_upload(StoredUpload.of(upload).key, upload.store_upload_id)
    with pytest.raises(UploadLost):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.FAILED, 0)


def test_an_object_that_is_not_ours_is_never_published(begin, memory, bucket):
    upload = begin(content=CONTENT)
    other = memory.create_upload(StoredUpload.of(upload).key, content_type=None, metadata={})
    signer = memory.part_signer(StoredUpload.of(upload).key, other, lifetime=timedelta(1))
    memory.put_part(signer.sign(1), CONTENT)
    page = memory.list_parts(StoredUpload.of(upload).key, other)
    memory.complete_upload(StoredUpload.of(upload).key, other, page.parts)
    memory.abort_upload(StoredUpload.of(upload).key, upload.store_upload_id)
    with pytest.raises(UploadLost):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.FAILED, 0)
    assert ObjectVersion.query.filter_by(bucket_id=bucket.id).count() == 0


def test_an_object_of_another_size_is_never_published(begin, memory, bucket):
    upload = begin(content=CONTENT)
    stored = StoredUpload.of(upload)
    memory.put_part(f"memory://{upload.store_upload_id}#2", b"longer")
    memory.complete_upload(stored.key, stored.upload_id, stored.all_parts())
    with pytest.raises(UploadLost):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.FAILED, 0)


def test_a_caller_with_an_old_view_of_the_row_does_not_call_the_upload_lost(begin, memory, bucket):
    upload = begin(content=CONTENT)
    elsewhere(upload, UploadState.COMPLETING)
    memory.fail("list_parts", StoreUploadGone(reason="NoSuchUpload"))
    with pytest.raises(StoreUnavailable):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.COMPLETING, len(CONTENT))


def test_a_move_that_somebody_else_has_made_is_not_made_again(begin):
    upload = begin(size=1)
    assert upload.state == UploadState.PENDING
    elsewhere(upload, UploadState.ABORTING)
    assert upload.move(UploadState.COMPLETING) is False
    assert upload.state == UploadState.ABORTING


def elsewhere(upload, state):
    """Another process changes the row; this one has read it already."""
    assert upload.state
    db.session.connection().execute(
        db.update(Upload).where(Upload.id == upload.id).values(state=state, updated_at=utcnow())
    )


def test_the_database_is_let_go_before_the_store_is_asked(begin, memory, monkeypatch):
    seen = []
    original = type(memory)._call

    def spy(self, name):
        seen.append((name, db.session().in_transaction()))
        return original(self, name)

    monkeypatch.setattr(type(memory), "_call", spy)
    complete_upload(begin("a", content=CONTENT))
    abort_upload(begin("b", content=CONTENT))
    assert {name for name, _ in seen} >= {
        "create_upload",
        "list_parts",
        "complete_upload",
        "head",
        "abort_upload",
    }
    assert [name for name, open_transaction in seen if open_transaction] == []


def test_a_claim_of_the_client_never_replaces_what_the_store_has(begin, memory):
    upload = begin(content=CONTENT)
    memory.put_part(f"memory://{upload.store_upload_id}#2", b"")
    etag = "d41d8cd98f00b204e9800998ecf8427e"
    with pytest.raises(Exception, match="wrong size"):
        complete_upload(upload, {1: "whatever", 2: etag})
    assert upload.state == UploadState.PENDING


def test_a_bucket_locked_or_gone_in_mid_upload_is_an_error_that_loses_nothing(
    begin, memory, bucket
):
    upload = begin(content=CONTENT)
    limit(bucket, locked=True)
    with pytest.raises(BucketLocked):
        complete_upload(upload)
    limit(bucket, locked=False, deleted=True)
    with pytest.raises(BucketNotFound):
        complete_upload(upload)
    limit(bucket, deleted=False)
    complete_upload(upload)
    assert published(upload, memory)


def test_a_publication_that_fails_leaves_nothing_half_done(begin, memory, monkeypatch):
    upload = begin(content=CONTENT)

    def refuse(upload):
        raise BucketLocked()

    with monkeypatch.context() as patch:
        patch.setattr("oarepo_s3.services.complete.publish_file", refuse)
        with pytest.raises(BucketLocked):
            complete_upload(upload)
    db.session.commit()  # of whoever works on in the same context
    assert upload.state == UploadState.COMPLETING
    complete_upload(upload)
    assert published(upload, memory)


def test_an_abort_that_was_faster_wins_and_the_object_goes(begin, memory, bucket, monkeypatch):
    upload = begin(content=CONTENT)
    original = type(memory).complete_upload

    def complete_after_abort(self, key, upload_id, parts, checksum):
        monkeypatch.setattr(type(memory), "complete_upload", original)
        original(self, key, upload_id, parts)
        # Another process: its row moved, and its look at the store came too early.
        upload.move(UploadState.ABORTING)
        db.session.commit()

    monkeypatch.setattr(type(memory), "complete_upload", complete_after_abort)
    with pytest.raises(UploadNotPending):
        complete_upload(upload)
    assert memory.head(StoredUpload.of(upload).key) is None
    abort_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.ABORTED, 0)
    assert FileInstance.get(upload.file_id) is None


def test_nothing_is_published_twice_by_a_second_caller(begin, memory, monkeypatch):
    upload = begin(content=CONTENT)
    original = type(memory).complete_upload

    def second_caller_first(self, key, upload_id, parts, checksum):
        monkeypatch.setattr(type(memory), "complete_upload", original)
        complete_upload(upload)
        original(self, key, upload_id, parts)

    monkeypatch.setattr(type(memory), "complete_upload", second_caller_first)
    assert complete_upload(upload).state == UploadState.COMPLETED
    assert published(upload, memory)
