# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""files-rest's own check of fixity, of files whose checksum is a digest that a client declared."""

from __future__ import annotations

import io
import os
import tracemalloc

import pytest
from invenio_db import db
from invenio_files_rest.errors import StorageError
from invenio_files_rest.models import FileInstance, ObjectVersion
from invenio_files_rest.tasks import verify_checksum

from oarepo_s3.core import digests
from oarepo_s3.core.digests import LENGTHS, compute
from oarepo_s3.models import Upload
from oarepo_s3.services import NewUpload, complete_upload, create_upload, sign_parts
from oarepo_s3.tasks import verify_declared_checksums

from ..people import put

PART = 5 * 2**20
CONTENT = os.urandom(PART + 7)
EVERY_ALGORITHM = pytest.mark.parametrize("algorithm", LENGTHS)


@pytest.fixture(autouse=True)
def _only_own_uploads(database):
    db.session.execute(db.delete(Upload))
    db.session.commit()


@pytest.fixture
def uploaded(bucket):
    """Upload content with its digest, and let that be verified; return the file."""

    def upload(algorithm, content=CONTENT):
        declared = str(compute(algorithm, [content]))
        upload = create_upload(
            NewUpload(
                bucket_id=bucket.id,
                key="a",
                size=len(content),
                part_size=PART,
                checksum=declared,
            )
        )
        for part in range(1, upload.num_parts + 1):
            start = (part - 1) * PART
            put(sign_parts(upload, [part])[0].url, content[start : start + PART])
        complete_upload(upload)
        verify_declared_checksums()
        file = db.session.get(FileInstance, upload.file_id)
        assert file.checksum == declared
        return file

    return upload


def replace(store, file, content):
    """Change the object behind everybody's back."""
    key = file.uri.removeprefix(f"s3://{store.bucket}/")
    store.client().put_object(Bucket=store.bucket, Key=key, Body=content)


def check(file, **kwargs):
    """Run the task, as Invenio's schedule of it does; return what it found."""
    verify_checksum.delay(str(file.id), **kwargs)
    return db.session.get(FileInstance, file.id, populate_existing=True).last_check


@EVERY_ALGORITHM
def test_an_intact_file_is_found_intact_and_a_changed_one_changed(uploaded, store, algorithm):
    file = uploaded(algorithm)
    assert check(file) is True
    replace(store, file, CONTENT[:-1] + bytes([CONTENT[-1] ^ 1]))
    assert check(file) is False
    replace(store, file, CONTENT)
    assert check(file, pessimistic=True, chunk_size=1000) is True


@pytest.mark.parametrize(
    "changed", [CONTENT[:-1], CONTENT + b"?", b""], ids=["truncated", "longer", "empty"]
)
def test_a_file_of_another_length_is_found(uploaded, store, changed):
    file = uploaded("sha256")
    assert check(file) is True
    replace(store, file, changed)
    assert check(file) is False


def test_an_empty_file_is_checked(uploaded, store):
    file = uploaded("sha256", b"")
    assert check(file) is True
    replace(store, file, b"?")
    assert check(file) is False


@EVERY_ALGORITHM
def test_a_file_that_is_gone_is_an_error_and_no_finding(uploaded, store, algorithm):
    file = uploaded(algorithm)
    key = file.uri.removeprefix(f"s3://{store.bucket}/")
    store.client().delete_object(Bucket=store.bucket, Key=key)
    assert check(file, throws=False) is None
    with pytest.raises(StorageError, match="not there"):
        check(file)


@pytest.mark.parametrize("algorithm", ["crc32c", "crc64nvme"])
def test_without_the_package_the_error_says_which(uploaded, monkeypatch, algorithm):
    file = uploaded(algorithm)
    monkeypatch.setattr(digests, "anycrc", None)
    with pytest.raises(StorageError, match=rf"{algorithm}.*install oarepo-s3\[checksums\]"):
        check(file)
    assert check(file, throws=False) is None


@EVERY_ALGORITHM
def test_every_byte_is_read_and_progress_reported(uploaded, algorithm):
    file, seen = uploaded(algorithm), []
    assert file.verify_checksum(progress_callback=lambda size, done: seen.append((size, done)))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert len(seen) == 6

    seen.clear()
    assert file.verify_checksum(
        chunk_size=PART, progress_callback=lambda size, done: seen.append((size, done))
    )
    assert seen == [(len(CONTENT), PART), (len(CONTENT), len(CONTENT))]


@pytest.mark.parametrize("algorithm", ["sha256", "crc64nvme"])
def test_a_file_is_checked_in_flat_memory(uploaded, algorithm):
    content = b"\1" * (48 * 2**20)
    file = uploaded(algorithm, content)
    del content
    tracemalloc.start()
    try:
        assert check(file) is True
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24 * 2**20


def test_a_checksum_of_another_kind_is_computed_as_files_rest_does(bucket):
    file = ObjectVersion.create(bucket, "a", stream=io.BytesIO(CONTENT)).file
    file.checksum = "other:0123"
    assert file.storage().checksum() == str(compute("md5", [CONTENT]))
    file.checksum = None
    assert file.storage().checksum() == str(compute("md5", [CONTENT]))
