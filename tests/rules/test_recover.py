# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Recovery: what was begun and not ended is finished by a task."""

from __future__ import annotations

from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion

from oarepo_s3.api import MultipartUpload
from oarepo_s3.core.errors import StoreUnavailable, UploadLost
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import abort_upload, complete_upload
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from .outcomes import size_of
from .test_complete import CONTENT, published

NOTHING = {"completed": 0, "aborted": 0, "lost": 0, "failed": 0}


pytestmark = pytest.mark.usefixtures("_no_older_uploads")


def interrupt(memory, call, work, upload):
    """Begin to complete or abort, and lose the store on the way."""
    memory.fail(call, StoreUnavailable(reason="down"))
    with pytest.raises(StoreUnavailable):
        work(upload)


def rest(upload):
    """Let more time pass than a store needs."""
    db.session.execute(
        db.update(Upload)
        .where(Upload.id == upload.id)
        .values(updated_at=utcnow() - timedelta(minutes=6))
    )
    db.session.commit()


def test_a_completion_that_was_interrupted_is_finished(begin, memory):
    upload = begin(content=CONTENT)
    interrupt(memory, "complete_upload", complete_upload, upload)
    assert recover() == NOTHING
    rest(upload)
    assert recover() == {**NOTHING, "completed": 1}
    assert published(upload, memory)


def test_an_abort_that_was_interrupted_is_finished(begin, memory, bucket):
    upload = begin(content=CONTENT)
    interrupt(memory, "abort_upload", abort_upload, upload)
    assert recover() == NOTHING
    rest(upload)
    assert recover() == {**NOTHING, "aborted": 1}
    assert (upload.state, memory.uploads, size_of(bucket)) == ("aborted", {}, 0)


def test_an_upload_that_the_store_has_dropped_is_lost_and_its_key_is_free(begin, memory, bucket):
    upload = begin("a", content=CONTENT)
    interrupt(memory, "complete_upload", complete_upload, upload)
    stored = StoredUpload.of(upload)
    memory.abort_upload(stored.key, stored.upload_id)
    rest(upload)
    assert recover() == {**NOTHING, "lost": 1}
    assert (upload.state, size_of(bucket)) == ("failed", 0)
    assert upload.reason
    again = begin("a", content=CONTENT)
    complete_upload(again)
    assert published(again, memory)


def test_one_that_fails_again_does_not_stop_the_others(begin, memory):
    first, second = begin("a", content=CONTENT), begin("b", content=CONTENT)
    for upload in (first, second):
        interrupt(memory, "complete_upload", complete_upload, upload)
        rest(upload)
    memory.fail("complete_upload", StoreUnavailable(reason="down"))
    assert recover() == {**NOTHING, "completed": 1, "failed": 1}
    assert sorted([first.state, second.state]) == ["completed", "completing"]


def test_one_whose_parts_are_not_right_can_be_mended_and_expires(begin, memory):
    upload = begin(content=CONTENT)
    interrupt(memory, "complete_upload", complete_upload, upload)
    memory.put_part(f"memory://{upload.store_upload_id}#2", b"too long")
    rest(upload)
    assert recover() == {**NOTHING, "failed": 1}
    assert upload.state == "pending"


def test_one_whose_file_was_removed_is_not_completed_and_leaves_nothing(memory, bucket):
    mu = MultipartUpload("a", bucket.location.uri, 3600, 3)
    version = ObjectVersion.create(bucket, "a", stream=mu)
    db.session.commit()
    upload = Upload.query.filter_by(version_id=version.version_id).one()
    memory.put_part(mu.session.part_urls[0], b"abc")
    interrupt(memory, "head", complete_upload, upload)
    version = db.session.get(ObjectVersion, upload.version_id)
    file_id = version.file_id
    version.remove()
    db.session.execute(db.delete(FileInstance).where(FileInstance.id == file_id))
    db.session.commit()

    with pytest.raises(UploadLost, match="removed"):
        complete_upload(upload)

    rest(upload)
    assert recover() == {**NOTHING, "aborted": 1}
    assert memory.head(StoredUpload.of(upload).key) is None
    assert (upload.state, size_of(bucket)) == ("aborted", 0)


def lifecycle_rule(memory, upload):
    """Take an upload away behind the back of the application."""
    stored = StoredUpload.of(upload)
    memory.abort_upload(stored.key, stored.upload_id)


def age(upload, hours):
    upload.created_at = utcnow() - timedelta(hours=hours)
    db.session.commit()


def test_a_pending_upload_that_the_store_has_dropped_is_found_out(begin, memory, bucket):
    dropped, kept, young = (begin(key, content=CONTENT) for key in ("dropped", "kept", "young"))
    for upload in (dropped, young):
        lifecycle_rule(memory, upload)
    for upload in (dropped, kept):
        age(upload, hours=7)
    assert recover() == {**NOTHING, "lost": 1}
    assert [u.state for u in (dropped, kept, young)] == ["failed", "pending", "pending"]
    assert "lifecycle rule" in dropped.reason
    assert size_of(bucket) == 2 * len(CONTENT)


def test_a_pending_upload_is_asked_for_once_in_a_while_only(begin, memory):
    upload = begin(content=CONTENT)
    age(upload, hours=7)
    for _ in range(3):
        assert recover() == NOTHING
    assert memory.calls.count("list_parts") == 1
    upload.rests_until = utcnow()
    db.session.commit()
    recover()
    assert memory.calls.count("list_parts") == 2


def test_resting_is_no_obstacle_to_the_owner_the_sweep_and_the_recovery(begin, memory):
    first, second = begin("a", content=CONTENT), begin("b", content=CONTENT)
    for upload in (first, second):
        age(upload, hours=7)
    recover()
    assert first.rests_until > utcnow()
    interrupt(memory, "complete_upload", complete_upload, first)
    rest(first)
    assert recover() == {**NOTHING, "completed": 1}
    abort_upload(second)
    assert second.state == "aborted"


def test_an_upload_rests_no_longer_than_its_time(begin, memory):
    upload = begin(content=CONTENT)
    age(upload, hours=7)
    upload.expires_at = utcnow() + timedelta(hours=1)
    db.session.commit()
    recover()
    assert upload.rests_until == upload.expires_at


def test_a_store_that_does_not_answer_ends_no_pending_upload(begin, memory):
    upload = begin(content=CONTENT)
    age(upload, hours=7)
    memory.fail("list_parts", StoreUnavailable(reason="down"))
    assert recover() == {**NOTHING, "failed": 1}
    assert upload.state == "pending"
    lifecycle_rule(memory, upload)
    assert recover() == {**NOTHING, "lost": 1}, "it is asked again by the next recovery"


def test_one_whose_object_is_there_after_all_is_completed(begin, memory):
    upload = begin(content=CONTENT)
    age(upload, hours=7)
    stored = StoredUpload.of(upload)
    stored.complete(stored.all_parts())
    assert recover() == {**NOTHING, "completed": 1}
    assert published(upload, memory)
