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

from .test_complete import CONTENT, published
from .test_create import size_of

NOTHING = {"completed": 0, "aborted": 0, "lost": 0, "failed": 0}


@pytest.fixture(autouse=True)
def _only_own_rows(database):
    db.session.execute(db.delete(Upload))
    db.session.commit()


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
