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
from oarepo_s3.services import abort_upload, complete_upload
from oarepo_s3.services.parts import object_key

from .conftest import PART
from .test_create import limit, size_of

CONTENT = b"x" * PART + b"y"


def published(upload, memory):
    """Whether the file can be read, once, with the right bytes and size."""
    versions = ObjectVersion.query.filter_by(bucket_id=upload.bucket_id, key=upload.key).all()
    return (
        [version.is_head for version in versions] == [True]
        and versions[0].file.readable
        and versions[0].file.checksum == upload.checksum
        and memory.read(object_key(upload)) == CONTENT
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
    page = memory.list_parts(object_key(upload), upload.store_upload_id)
    memory.complete_upload(object_key(upload), upload.store_upload_id, page.parts)
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


def test_an_upload_that_the_store_has_dropped_fails_and_gives_the_room_back(
    begin, memory, bucket
):
    upload = begin(content=CONTENT)
    memory.abort_upload(object_key(upload), upload.store_upload_id)
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
    memory.abort_upload(object_key(upload), upload.store_upload_id)
    with pytest.raises(UploadLost):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.FAILED, 0)


def test_an_object_that_is_not_ours_is_never_published(begin, memory, bucket):
    upload = begin(content=CONTENT)
    other = memory.create_upload(object_key(upload), content_type=None, metadata={})
    signer = memory.part_signer(object_key(upload), other, lifetime=timedelta(1))
    memory.put_part(signer.sign(1), CONTENT)
    page = memory.list_parts(object_key(upload), other)
    memory.complete_upload(object_key(upload), other, page.parts)
    memory.abort_upload(object_key(upload), upload.store_upload_id)
    with pytest.raises(UploadLost):
        complete_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.FAILED, 0)
    assert ObjectVersion.query.filter_by(bucket_id=bucket.id).count() == 0


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


def test_an_abort_that_was_faster_wins_and_the_object_goes(begin, memory, bucket, monkeypatch):
    upload = begin(content=CONTENT)
    original = type(memory).complete_upload

    def complete_after_abort(self, key, upload_id, parts):
        monkeypatch.setattr(type(memory), "complete_upload", original)
        original(self, key, upload_id, parts)
        # Another process: its row moved, and its look at the store came too early.
        upload.move(UploadState.ABORTING)
        db.session.commit()

    monkeypatch.setattr(type(memory), "complete_upload", complete_after_abort)
    with pytest.raises(UploadNotPending):
        complete_upload(upload)
    assert memory.head(object_key(upload)) is None
    abort_upload(upload)
    assert (upload.state, size_of(bucket)) == (UploadState.ABORTED, 0)
    assert FileInstance.get(upload.file_id) is None


def test_nothing_is_published_twice_by_a_second_caller(begin, memory, monkeypatch):
    upload = begin(content=CONTENT)
    original = type(memory).complete_upload

    def second_caller_first(self, key, upload_id, parts):
        monkeypatch.setattr(type(memory), "complete_upload", original)
        complete_upload(upload)
        original(self, key, upload_id, parts)

    monkeypatch.setattr(type(memory), "complete_upload", second_caller_first)
    assert complete_upload(upload).state == UploadState.COMPLETED
    assert published(upload, memory)
