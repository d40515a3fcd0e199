# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A process may die at any line: a repeated call, the sweep or the recovery finishes its work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import (
    NewUpload,
    abort_upload,
    complete_upload,
    create_upload,
    get_upload,
    recover_interrupted,
    sign_parts,
    sweep_expired,
)
from oarepo_s3.services.stored import StoredUpload

from ..conftest import REAL, settings_for
from ..people import http, put
from .child import DIED

CONTENT = os.urandom(1000)
ROOT = Path(__file__).parents[2]

CREATE = [
    "before commit 1",
    "after commit 1",
    "before store.create_upload",
    "after store.create_upload",
    "before commit 2",
    "after commit 2",
]
COMPLETE = [
    "before store.list_parts",
    "after store.list_parts",
    "before commit 1",
    "after commit 1",
    "before store.complete_upload",
    "after store.complete_upload",
    "after store.head",
    "before commit 2",
    "after commit 2",
]
ABORT = [
    "before commit 1",
    "after commit 1",
    "before store.abort_upload",
    "after store.abort_upload",
    "after store.list_parts",
    "after store.head",
    "before commit 2",
    "after commit 2",
]


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph: what is left has to be left in real servers."""
    return request.param


class Mortal:
    """Does things in a process of its own, which dies."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def die(self, line: str, action: str, **order: object) -> None:
        """Begin an action and die at a line of it."""
        db.session.commit()
        order = {"action": action, "die": line, **order}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        assert int(self._process.stdout.readline()) == DIED
        db.session.expire_all()


@pytest.fixture(scope="module")
def mortal(app, db_uri, store) -> Iterator[Mortal]:
    """A process to be killed."""
    settings = {**settings_for(store), "SQLALCHEMY_DATABASE_URI": db_uri, "SECRET_KEY": "crash"}
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.child", json.dumps(settings)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    yield Mortal(process)
    process.communicate(timeout=30)


@pytest.fixture(autouse=True)
def _only_own_rows(database):
    db.session.execute(db.delete(Upload))
    db.session.commit()


@pytest.fixture
def upload(bucket) -> Upload:
    """An upload with all its parts at the store."""
    made = create_upload(NewUpload(bucket_id=bucket.id, key="a", size=len(CONTENT)))
    put(sign_parts(made, [1])[0].url, CONTENT)
    return made


def age(**values):
    """Let time pass for all uploads."""
    db.session.execute(db.update(Upload).values(**values))
    db.session.commit()


def at_store(store, upload):
    """Open multipart uploads and objects in the place of an upload."""
    key = StoredUpload.of(upload).key
    client = store.client()
    uploads = client.list_multipart_uploads(Bucket=store.bucket, Prefix=key).get("Uploads", [])
    objects = client.list_objects_v2(Bucket=store.bucket, Prefix=key).get("Contents", [])
    return len(uploads), len(objects)


def is_gone(store, bucket, upload):
    """Whether nothing is left of an upload but its row."""
    return (
        upload.state == "aborted"
        and at_store(store, upload) == (0, 0)
        and db.session.get(Bucket, bucket.id, populate_existing=True).size == 0
        and FileInstance.get(upload.file_id) is None
    )


def is_there(store, bucket, upload):
    """Whether the file can be read, once, and counts once."""
    version = ObjectVersion.get(bucket.id, "a")
    return (
        upload.state == "completed"
        and at_store(store, upload) == (0, 1)
        and db.session.get(Bucket, bucket.id, populate_existing=True).size == len(CONTENT)
        and http.request("GET", version.send_file().headers["Location"]).data == CONTENT
    )


@pytest.mark.parametrize("line", CREATE)
def test_create(mortal, store, bucket, line):
    mortal.die(line, "create", bucket=str(bucket.id), size=len(CONTENT))
    rows = Upload.query.filter_by(bucket_id=bucket.id).all()
    assert len(rows) == (line != "before commit 1")

    age(expires_at=utcnow() - timedelta(seconds=1))
    sweep_expired()

    assert all(is_gone(store, bucket, row) for row in rows)
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == 0


@pytest.mark.parametrize("line", COMPLETE)
@pytest.mark.parametrize("by", ["a repeated call", "the recovery"])
def test_complete(mortal, store, bucket, upload, line, by):
    mortal.die(line, "complete", upload=str(upload.id))
    begun = get_upload(upload.id).state
    assert begun in ("pending", "completing", "completed")
    version = ObjectVersion.get(bucket.id, "a")
    assert (version is not None) == (begun == "completed")

    if by == "the recovery":
        age(updated_at=utcnow() - timedelta(minutes=6))
        assert recover_interrupted().completed == (begun == "completing")
    if begun == "pending" or by == "a repeated call":
        complete_upload(get_upload(upload.id))

    assert is_there(store, bucket, get_upload(upload.id))


@pytest.mark.parametrize("line", ABORT)
@pytest.mark.parametrize("by", ["a repeated call", "the recovery"])
def test_abort(mortal, store, bucket, upload, line, by):
    mortal.die(line, "abort", upload=str(upload.id))
    begun = get_upload(upload.id).state
    assert begun in ("pending", "aborting", "aborted")

    if by == "the recovery":
        age(updated_at=utcnow() - timedelta(minutes=6))
        assert recover_interrupted().aborted == (begun == "aborting")
    if begun == "pending" or by == "a repeated call":
        abort_upload(get_upload(upload.id))

    assert is_gone(store, bucket, get_upload(upload.id))


@pytest.mark.parametrize("line", ABORT)
def test_sweep(mortal, store, bucket, upload, line):
    age(expires_at=utcnow() - timedelta(seconds=1))
    mortal.die(line, "sweep")
    begun = get_upload(upload.id).state
    assert begun in ("pending", "expired", "aborted")

    # Whoever died holds its rows until its lease has ended.
    age(rests_until=utcnow())
    assert sweep_expired().aborted == (begun != "aborted")

    assert is_gone(store, bucket, get_upload(upload.id))


def test_a_process_that_is_not_told_to_die_ends_well(mortal, store, bucket, upload):
    """So that the deaths above are those that were asked for."""
    with pytest.raises(AssertionError, match="0 == 99"):
        mortal.die("before commit 9", "complete", upload=str(upload.id))
    assert is_there(store, bucket, get_upload(uuid.UUID(str(upload.id))))
