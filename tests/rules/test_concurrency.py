# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Many callers at once: limits hold, and there is one result."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion

from oarepo_s3.api import MultipartUpload
from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.core.errors import QuotaExceeded, UploadError
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import (
    NewUpload,
    abort_upload,
    complete_upload,
    create_upload,
    get_upload,
    sweep_expired,
)

from ..sqlite import writers_wait
from .conftest import PART, age, limit
from .outcomes import size_of


@pytest.fixture(autouse=True)
def _writers_wait(database):
    """Transactions that read and then write wait for each other, on SQLite too."""
    db.session.commit()
    with writers_wait():
        yield
        db.session.commit()


CALLERS = 50
FIT = 10
SIZE = 1000
PATIENCE = 30
"""Seconds to wait for another thread."""


def at_once(app, work, times):
    """Do the work in many threads, each with a database session of its own."""

    def one(number):
        with app.app_context():
            try:
                return work(number)
            finally:
                db.session.remove()

    db.session.commit()  # a transaction that stays open here would keep SQLite's writers out
    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(one, range(times)))


def test_a_quota_for_ten_lets_exactly_ten_of_fifty_in(app, memory, bucket):
    limit(bucket, quota_size=FIT * SIZE)
    bucket_id = bucket.id

    def begin(number):
        try:
            create_upload(NewUpload(bucket_id=bucket_id, key=f"f{number}", size=SIZE))
        except QuotaExceeded as error:
            return error.code
        return "created"

    assert Counter(at_once(app, begin, CALLERS)) == {
        "created": FIT,
        "quota_exceeded": CALLERS - FIT,
    }
    assert size_of(bucket) == FIT * SIZE
    assert Upload.query.filter_by(bucket_id=bucket_id, state="pending").count() == FIT
    assert memory.calls.count("create_upload") == FIT


def test_eight_callers_complete_one_upload_once(app, begin, memory, bucket):
    upload_id = begin(content=b"x" * PART + b"y").id
    db.session.commit()

    def complete(number):
        try:
            return complete_upload(get_upload(upload_id)).state
        except UploadError as error:
            return error.code

    seen = Counter(at_once(app, complete, 8))

    assert seen["completed"] >= 1
    assert set(seen) <= {"completed", "store_unavailable"}
    assert size_of(bucket) == PART + 1
    assert ObjectVersion.query.filter_by(bucket_id=bucket.id).count() == 1
    assert complete(0) == "completed"


def test_complete_against_abort_has_one_winner_and_all_agree(app, begin, memory, bucket):
    for round_ in range(10):
        upload = begin(f"f{round_}", content=b"x" * PART + b"y")
        upload_id, key = upload.id, upload.key
        db.session.commit()

        def either(number, upload_id=upload_id):
            work = complete_upload if number % 2 else abort_upload
            try:
                return work(get_upload(upload_id)).state
            except UploadError as error:
                return error.code

        at_once(app, either, 4)
        db.session.expire_all()
        end = get_upload(upload_id)
        if end.state in ("completing", "aborting"):
            either(1 if end.state == "completing" else 0)
            end = get_upload(upload_id)
        won = end.state == "completed"
        assert end.state in ("completed", "aborted")
        stored = memory.head(end.uri.removeprefix("memory://rules/"))
        assert (stored is not None) == won
        assert (ObjectVersion.get(bucket.id, key) is not None) == won
        assert memory.uploads == {}
    completed = Upload.query.filter_by(bucket_id=bucket.id, state="completed").count()
    assert size_of(bucket) == completed * (PART + 1)


def test_of_versions_that_are_removed_at_once_the_newest_left_is_the_head(app, memory, bucket):
    bucket_id = bucket.id
    for round_ in range(15):
        key = f"f{round_}"
        oldest = ObjectVersion.create(bucket, key).version_id
        db.session.commit()
        for _ in range(3):
            ObjectVersion.create(bucket, key, stream=MultipartUpload(key, size=1))
            db.session.commit()
        ids = [u.id for u in Upload.query.filter_by(bucket_id=bucket_id, key=key)]
        at_once(app, lambda number, ids=ids: abort_upload(get_upload(ids[number])), 3)
        db.session.expire_all()
        left = ObjectVersion.query.filter_by(bucket_id=bucket_id, key=key).all()
        assert [(version.version_id, version.is_head) for version in left] == [(oldest, True)]


def test_who_counts_in_python_does_not_forget_what_others_reserve(app, begin, bucket):
    """files-rest takes the size of a deleted file off the size that it has read before."""
    bucket_id, size = bucket.id, begin(content=b"abc").size
    upload = Upload.query.filter_by(bucket_id=bucket_id).one()
    complete_upload(upload)
    db.session.commit()
    stale = db.session.get(Bucket, bucket_id)
    assert stale.size == size
    seen = stale.size
    db.session.rollback()

    stale = db.session.get(Bucket, bucket_id)
    db.session.expunge(stale)
    at_once(
        app,
        lambda number: create_upload(NewUpload(bucket_id=bucket_id, key=f"n{number}", size=1000)),
        4,
    )
    db.session.add(stale)
    stale.size -= seen
    db.session.commit()
    assert size_of(bucket) == 4000
    # A size that was just read is written in the same way, and one that is set by SQL stays so.
    db.session.get(Bucket, bucket_id).size += 1
    db.session.commit()
    assert size_of(bucket) == 4001
    db.session.get(Bucket, bucket_id).size = Bucket.size - 1
    db.session.commit()
    assert size_of(bucket) == 4000


@pytest.mark.usefixtures("_no_older_uploads")
def test_several_sweeps_share_the_work_and_none_does_it_twice(app, memory, bucket, monkeypatch):
    app.config["OAREPO_S3_SWEEP_BATCH"] = 5
    for number in range(40):
        create_upload(NewUpload(bucket_id=bucket.id, key=f"f{number}", size=1))
    age(expires_at=utcnow() - timedelta(seconds=1))
    aborted, sweepers, both = [], set(), threading.Event()
    original = MemoryStore.abort_upload

    def slow(self, key, upload_id):
        aborted.append(upload_id)
        sweepers.add(threading.get_ident())
        if len(sweepers) > 1:
            both.set()
        assert both.wait(PATIENCE)  # the first must not be done before the second begins
        time.sleep(0.01)  # time for another worker to take the same row
        original(self, key, upload_id)

    monkeypatch.setattr(MemoryStore, "abort_upload", slow)
    try:
        counts = at_once(app, lambda number: sweep_expired(), 4)
    finally:
        app.config["OAREPO_S3_SWEEP_BATCH"] = 100

    assert sum(c.aborted for c in counts) == sum(c.expired for c in counts) == 40
    assert sum(c.aborted > 0 for c in counts) >= 2
    assert sum(c.failed for c in counts) == 0
    assert len(aborted) == len(set(aborted)) == 40
    assert (memory.uploads, size_of(bucket)) == ({}, 0)
