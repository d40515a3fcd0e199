# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Several forms for one name: the one that was begun last is the newest version."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import open_form
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import age

SMALLER, LARGER = sorted([uuid.uuid4(), uuid.uuid4()])

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


@pytest.fixture
def send(memory, pending):
    """Send a file by a form whose upload has this id, and was begun some minutes ago."""

    def send(upload_id, content, minutes):
        upload = pending(content)
        db.session.execute(
            db.update(Upload)
            .where(Upload.id == upload.id)
            .values(id=upload_id, created_at=utcnow() - timedelta(minutes=minutes))
        )
        db.session.commit()
        memory.post_form(open_form(db.session.get(Upload, upload_id)), content)
        return upload_id

    return send


def head_is(bucket, upload_id):
    upload = db.session.get(Upload, upload_id)
    return ObjectVersion.get(bucket.id, "a").file_id == upload.file_id


@pytest.mark.parametrize("ids", [(SMALLER, LARGER), (LARGER, SMALLER)], ids=["up", "down"])
def test_the_one_that_was_begun_last_is_the_newest(bucket, send, ids):
    send(ids[0], b"older", 20)
    newest = send(ids[1], b"newer", 10)
    assert recover()["completed"] == 2
    assert head_is(bucket, newest)
    assert ObjectVersion.get_versions(bucket.id, "a").count() == 2


def test_one_that_rests_comes_first_all_the_same(bucket, send):
    older = send(SMALLER, b"older", 20)
    age(rests_until=utcnow() + timedelta(hours=1))
    newest = send(LARGER, b"newer", 10)
    recover()
    assert db.session.get(Upload, older).state == "completed"
    assert head_is(bucket, newest)


def test_when_the_older_cannot_be_completed_the_newer_waits(bucket, send, memory: MemoryStore):
    send(LARGER, b"older", 20)
    newest = send(SMALLER, b"newer", 10)
    memory.fail("copy_part", StoreUnavailable(reason="down"))
    counts = recover()
    assert (counts["completed"], counts["failed"]) == (1, 1)
    assert db.session.get(Upload, newest).state == "pending"
    assert recover()["completed"] == 1
    assert head_is(bucket, newest)
