# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which checksum a file has: the client's digest once it is verified, else the store's own."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion

from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.models import uploads as models
from oarepo_s3.services import complete_upload
from oarepo_s3.tasks import verify_declared_checksums as verify

from .conftest import PART
from .test_integrity import CONTENT, NOTHING, crc32, sha256

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


def md5(content):
    return f"md5:{hashlib.md5(content).hexdigest()}"


def checksum_of(upload):
    """Return the checksum of the file as it is in the database now."""
    return db.session.get(FileInstance, upload.file_id, populate_existing=True).checksum


def key_of(upload):
    return upload.uri.removeprefix("memory://rules/")


def multipart(memory, upload):
    return f"multipart:{memory.head(key_of(upload)).etag}-{upload.part_size}"


def answer_head(monkeypatch, **changes):
    """Let the store say something else of its objects."""
    original = MemoryStore.head

    def head(self, key):
        info = original(self, key)
        return info and replace(info, **changes)

    monkeypatch.setattr(MemoryStore, "head", head)


def test_a_digest_becomes_the_checksum_when_it_has_been_verified(begin, memory):
    upload = begin(content=CONTENT, checksum=sha256(CONTENT))
    assert upload.checksum is None
    complete_upload(upload)
    before = multipart(memory, upload)
    assert (checksum_of(upload), upload.checksum) == (before, before)
    updated = db.session.get(FileInstance, upload.file_id).updated
    verify()
    assert (checksum_of(upload), upload.checksum) == (sha256(CONTENT), sha256(CONTENT))
    assert db.session.get(FileInstance, upload.file_id).updated > updated


def test_a_digest_that_the_store_verifies_is_the_checksum_from_the_beginning(begin):
    upload = begin(content=CONTENT, checksum=crc32(CONTENT))
    complete_upload(upload)
    assert (checksum_of(upload), upload.checksum) == (crc32(CONTENT), crc32(CONTENT))


@pytest.mark.parametrize("declared", [None, sha256(b"other")])
def test_without_a_verified_digest_the_checksum_is_the_stores(begin, memory, declared):
    upload = begin(content=CONTENT, checksum=declared)
    complete_upload(upload)
    verify()
    assert checksum_of(upload) == upload.checksum == multipart(memory, upload)


def test_a_digest_that_nobody_can_compute_again_here_is_not_the_checksum(
    begin, memory, monkeypatch
):
    monkeypatch.setattr(models, "computable", lambda: frozenset({"sha256"}))
    upload = begin(content=CONTENT, checksum=crc32(CONTENT))
    complete_upload(upload)
    assert upload.checksum_status == "verified"
    assert checksum_of(upload) == upload.checksum == multipart(memory, upload)


def test_a_checksum_that_somebody_has_given_the_file_stays(begin):
    upload = begin(content=CONTENT, checksum=sha256(CONTENT))
    complete_upload(upload)
    db.session.get(FileInstance, upload.file_id).checksum = md5(CONTENT)
    db.session.commit()
    assert verify() == {**NOTHING, "verified": 1}
    assert checksum_of(upload) == md5(CONTENT)


def test_a_file_that_is_removed_while_it_is_read_stops_nothing(begin, monkeypatch):
    removed, other = (begin(key, content=b"abc", checksum=sha256(b"abc")) for key in "ab")
    for upload in (removed, other):
        complete_upload(upload)
    original, key_removed = MemoryStore.stream, key_of(removed)
    file_id, version_id = removed.file_id, removed.version_id

    def remove(self, key, start=0):
        if key == key_removed:
            db.session.get(ObjectVersion, version_id).remove()
            db.session.execute(db.delete(FileInstance).where(FileInstance.id == file_id))
            db.session.commit()
        return original(self, key, start)

    monkeypatch.setattr(MemoryStore, "stream", remove)
    assert verify() == {**NOTHING, "verified": 2}
    assert (removed.checksum_status, checksum_of(other)) == ("verified", sha256(b"abc"))
    assert db.session.get(FileInstance, file_id) is None


def test_status_and_checksum_change_together_or_not_at_all(begin, memory, monkeypatch):
    upload = begin(content=b"abc", checksum=sha256(b"abc"))
    complete_upload(upload)

    def fail(upload, old):
        assert upload.checksum_status == "verified"
        raise RuntimeError

    monkeypatch.setattr("oarepo_s3.services.verify.replace_checksum", fail)
    assert verify() == {**NOTHING, "failed": 1}
    assert (upload.checksum_status, checksum_of(upload)) == ("declared", multipart(memory, upload))


@pytest.mark.parametrize("content", [b"", b"abc"])
def test_the_md5_of_a_file_of_one_part_is_proved_by_its_etag(begin, memory, content):
    upload = begin(content=content, checksum=md5(content))
    complete_upload(upload)
    assert (upload.checksum_status, checksum_of(upload)) == ("verified", md5(content))
    assert verify() == NOTHING
    assert "stream" not in memory.calls


def test_an_etag_does_not_disprove_an_md5(begin, memory):
    upload = begin(content=b"abc", checksum=md5(b"abd"))
    complete_upload(upload)
    assert (upload.checksum_status, checksum_of(upload)) == ("declared", multipart(memory, upload))
    assert verify() == {**NOTHING, "mismatched": 1}


def test_the_md5_of_a_file_of_more_parts_is_left_to_the_reading(begin, memory):
    upload = begin(content=b"a" * PART + b"b", checksum=md5(b"a" * PART + b"b"))
    complete_upload(upload)
    assert (upload.checksum_status, checksum_of(upload)) == ("declared", multipart(memory, upload))
    assert verify() == {**NOTHING, "verified": 1}
    assert checksum_of(upload) == md5(b"a" * PART + b"b")


@pytest.mark.parametrize(
    ("is_digest", "status"), [(True, "verified"), (False, "declared")], ids=["plain", "encrypted"]
)
def test_an_etag_that_is_the_md5_of_the_content_proves_it(begin, monkeypatch, is_digest, status):
    etag = hashlib.md5(CONTENT).hexdigest()
    answer_head(monkeypatch, etag=etag, etag_is_digest=is_digest)
    upload = begin(content=CONTENT, checksum=md5(CONTENT))
    complete_upload(upload)
    assert upload.checksum_status == status
    proved = {"verified": md5(CONTENT), "declared": f"multipart:{etag}-{PART}"}
    assert checksum_of(upload) == proved[status]


def test_an_etag_proves_nothing_in_another_algorithm(begin, monkeypatch):
    answer_head(monkeypatch, etag=sha256(CONTENT).removeprefix("sha256:"))
    upload = begin(content=CONTENT, checksum=sha256(CONTENT))
    complete_upload(upload)
    assert upload.checksum_status == "declared"
