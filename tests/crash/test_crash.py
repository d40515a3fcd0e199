# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A process may die at any line: a repeated call, the sweep or the recovery finishes its work."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import (
    abort_upload,
    complete_upload,
    get_upload,
    recover_interrupted,
    sweep_expired,
)

from .deaths import CONTENT, age, is_gone, is_there

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


@pytest.mark.parametrize("line", [*ABORT, "before commit 3", "after commit 3"])
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
    with pytest.raises(AssertionError, match="ended with 0"):
        mortal.die("before commit 9", "complete", upload=str(upload.id))
    assert is_there(store, bucket, get_upload(uuid.UUID(str(upload.id))))
