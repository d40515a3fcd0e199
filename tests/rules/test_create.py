# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Opening an upload: room first, then the row, then the store."""

from __future__ import annotations

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.core.errors import (
    BucketNotFound,
    FileTooLarge,
    InvalidLocation,
    InvalidSize,
    QuotaExceeded,
    StoreDenied,
    StoreFault,
    StoreUnavailable,
    UploadNotPending,
)
from oarepo_s3.core.states import UploadState
from oarepo_s3.models import Upload
from oarepo_s3.services import NewUpload, abort_upload, create_upload, sweep_expired

from .conftest import PART, limit
from .outcomes import size_of


def test_room_is_reserved_from_the_start_and_counted_once(begin, bucket):
    from oarepo_s3.services import complete_upload

    upload = begin(content=b"x" * (PART + 1))
    assert (upload.reserved, size_of(bucket)) == (PART + 1, PART + 1)
    complete_upload(upload)
    assert (upload.reserved, size_of(bucket)) == (0, PART + 1)


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        ({"quota_size": 99}, QuotaExceeded),
        ({"max_file_size": 99}, FileTooLarge),
        ({"quota_size": 99, "max_file_size": 1000}, QuotaExceeded),
    ],
)
def test_no_room_is_found_out_before_the_store_is_called(begin, bucket, memory, limits, error):
    limit(bucket, **limits)
    with pytest.raises(error) as refused:
        begin(size=100)
    db.session.rollback()
    assert "99" in str(refused.value)
    assert memory.calls == []
    assert (size_of(bucket), Upload.query.filter_by(bucket_id=bucket.id).count()) == (0, 0)


def test_open_uploads_count_against_the_quota(begin, bucket):
    limit(bucket, quota_size=100)
    begin(size=60)
    with pytest.raises(QuotaExceeded):
        begin(size=41)
    db.session.rollback()
    begin(size=40)
    assert size_of(bucket) == 100


def test_a_size_that_no_cut_can_hold_is_refused(begin, bucket):
    with pytest.raises(InvalidSize):
        begin(size=5 * 2**40 + 1)
    assert size_of(bucket) == 0


def test_a_bucket_that_is_gone_is_not_found(memory, nobody, bucket):
    with pytest.raises(BucketNotFound):
        create_upload(NewUpload(bucket_id=nobody, key="a", size=1))
    limit(bucket, deleted=True)
    with pytest.raises(BucketNotFound):
        create_upload(NewUpload(bucket_id=bucket.id, key="a", size=1))


def test_a_store_that_refuses_gets_the_room_given_back(begin, bucket, memory):
    memory.fail("create_upload", StoreDenied(reason="AccessDenied"))
    with pytest.raises(StoreDenied):
        begin(size=100)
    row = Upload.query.filter_by(bucket_id=bucket.id).one()
    assert (row.state, row.reserved, size_of(bucket)) == (UploadState.FAILED, 0, 0)
    assert "AccessDenied" in row.reason


@pytest.mark.parametrize("error", [StoreUnavailable, StoreFault], ids=lambda error: error.code)
def test_an_upload_opened_though_no_clear_answer_came_is_swept(begin, bucket, memory, error):
    memory.fail("create_upload", error(reason="who knows"), after=True)
    with pytest.raises(error):
        begin(size=100)
    assert len(memory.uploads) == 1
    assert size_of(bucket) == 0

    counts = sweep_expired()

    assert (counts.aborted, memory.uploads, size_of(bucket)) == (1, {}, 0)


def test_a_location_without_a_back_end_is_refused_before_anything_is_written(bucket):
    db.session.add(Location(name="nowhere", uri="gopher://x"))
    db.session.flush()
    other = Bucket.create(location=Location.get_by_name("nowhere"))
    db.session.commit()
    with pytest.raises(InvalidLocation):
        create_upload(NewUpload(bucket_id=other.id, key="a", size=1))
    db.session.rollback()
    assert size_of(other) == 0


def test_the_row_is_committed_before_the_store_is_called(begin, bucket, memory, monkeypatch):
    seen = []
    original = type(memory).create_upload

    def spy(self, *args, **kwargs):
        with db.engine.connect() as other:
            seen.append(other.execute(db.select(Upload.state)).all())
        return original(self, *args, **kwargs)

    db.session.execute(db.delete(Upload))
    db.session.commit()
    monkeypatch.setattr(type(memory), "create_upload", spy)
    begin(size=1)
    assert seen == [[("pending",)]]


def test_one_that_is_aborted_while_the_store_is_asked_leaves_nothing(
    begin, memory, bucket, monkeypatch
):
    original = type(memory).create_upload

    def abort_meanwhile(self, *args, **kwargs):
        for upload in Upload.query.filter_by(bucket_id=bucket.id):
            abort_upload(upload)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(type(memory), "create_upload", abort_meanwhile)
    with pytest.raises(UploadNotPending):
        begin(size=3)
    assert (memory.uploads, size_of(bucket)) == ({}, 0)
