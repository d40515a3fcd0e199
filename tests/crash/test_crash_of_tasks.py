# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A task may die at any line as well: the next one, once the lease has ended, finishes its work."""

from __future__ import annotations

import hashlib
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion

from oarepo_s3.api import MultipartUpload
from oarepo_s3.core.times import utcnow
from oarepo_s3.services import (
    complete_upload,
    get_upload,
    recover_interrupted,
    sweep_orphans,
    verify_declared,
)
from oarepo_s3.services.stored import StoredUpload

from ..people import put
from .deaths import CONTENT, age, at_store, is_gone, is_there

LONG_AGO = timedelta(hours=7)
LEASE = ["before commit 1", "after commit 1"]
"""The task takes the upload for itself."""
FINISH_COMPLETE = [
    *LEASE,
    "before store.list_parts",
    "after store.list_parts",
    "before store.complete_upload",
    "after store.complete_upload",
    "after store.head",
    "before commit 2",
    "after commit 2",
    "before commit 3",
    "after commit 3",
]
FINISH_ABORT = [
    *LEASE,
    "before store.abort_upload",
    "after store.abort_upload",
    "after store.head",
    "before commit 2",
    "after commit 2",
]
FIND_LOST = [
    *LEASE,
    "before store.list_parts",
    "after store.list_parts",
    "after store.head",
    "before commit 2",
    "after commit 2",
]
ORPHANS = [
    "before store.create_upload",
    "after store.create_upload",
    "before store.list_uploads",
    "after store.list_uploads",
    # The first calls drop what was opened to try the list, the second ones end an orphan.
    "before store.abort_upload",
    "after store.abort_upload",
    "after store.list_parts",
    "before store.list_parts 2",
    "before store.abort_upload 2",
    "after store.abort_upload 2",
]
VERIFY = [*LEASE, "before store.stream", "after store.stream", "before commit 2", "after commit 2"]


def interrupt(state):
    """Leave all uploads where a worker left them that died some time ago."""
    age(state=state, updated_at=utcnow() - LONG_AGO)


def let_the_lease_end():
    age(rests_until=None, updated_at=utcnow() - LONG_AGO)


def checksum_of(upload):
    return db.session.get(FileInstance, upload.file_id, populate_existing=True).checksum


@pytest.mark.parametrize("line", FINISH_COMPLETE)
def test_recovery_of_a_completion(mortal, store, bucket, upload, line):
    interrupt("completing")
    mortal.die(line, "recover")
    begun = get_upload(upload.id).state
    assert begun in ("completing", "completed")
    let_the_lease_end()
    assert recover_interrupted().completed == (begun == "completing")
    assert is_there(store, bucket, get_upload(upload.id))


@pytest.mark.parametrize("line", FINISH_ABORT)
def test_recovery_of_an_abort(mortal, store, bucket, upload, line):
    interrupt("aborting")
    mortal.die(line, "recover")
    begun = get_upload(upload.id).state
    assert begun in ("aborting", "aborted")
    let_the_lease_end()
    assert recover_interrupted().aborted == (begun == "aborting")
    assert is_gone(store, bucket, get_upload(upload.id))


@pytest.mark.parametrize("line", FIND_LOST)
def test_recovery_of_what_the_store_has_dropped(mortal, store, bucket, upload, line):
    stored = StoredUpload.of(upload)
    stored.store.abort_upload(stored.key, stored.upload_id)
    age(created_at=utcnow() - LONG_AGO)
    mortal.die(line, "recover")
    begun = get_upload(upload.id).state
    assert begun in ("pending", "failed")
    let_the_lease_end()
    assert recover_interrupted().lost == (begun == "pending")

    ended = get_upload(upload.id)
    assert (ended.state, bool(ended.reason)) == ("failed", True)
    assert at_store(store, ended) == (0, 0)
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == 0
    assert FileInstance.get(ended.file_id) is None


@pytest.mark.parametrize("line", ORPHANS)
def test_sweep_of_orphans(mortal, store, bucket, upload, location, no_grace, line):
    """What a dead sweep has opened to try the store's list is an orphan itself."""
    wanted = MultipartUpload("rolled back", location.uri, 3600, len(CONTENT))
    ObjectVersion.create(bucket, "rolled back", stream=wanted)
    put(wanted.session.part_urls[0], CONTENT)
    db.session.rollback()
    mortal.die(line, "orphans")

    counts = sweep_orphans(dry_run=False)

    assert (counts.failed, counts.unlisted) == (0, [])
    left = get_upload(upload.id)
    assert list(store.open_uploads()) == [left.store_upload_id]
    complete_upload(left)
    assert is_there(store, bucket, left)


@pytest.mark.parametrize("line", VERIFY)
def test_verification(mortal, store, bucket, upload, line):
    digest = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    age(declared_checksum=digest, checksum_status="declared")
    complete_upload(get_upload(upload.id))
    mortal.die(line, "verify")
    begun = get_upload(upload.id).checksum_status
    assert begun in ("declared", "verified")
    assert checksum_of(upload).startswith("multipart:" if begun == "declared" else "sha256:")
    let_the_lease_end()
    assert verify_declared().verified == (begun == "declared")
    assert get_upload(upload.id).checksum_status == "verified"
    assert checksum_of(upload) == digest
