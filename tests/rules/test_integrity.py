# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Digests that clients give: of parts, and of the whole file."""

from __future__ import annotations

import hashlib
import zlib
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion

from oarepo_s3.backends.memory import READ_SIZE, MemoryStore
from oarepo_s3.backends.profiles import Profile
from oarepo_s3.core.digests import Digest
from oarepo_s3.core.errors import (
    ChecksumMismatch,
    InvalidRequest,
    PartsRejected,
    StorePartsRejected,
    StoreUnavailable,
)
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import complete_upload, part_checksums, sign_parts, uploaded_parts
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.signals import after_checksum_check
from oarepo_s3.tasks import verify_declared_checksums as verify

from .conftest import PART, send
from .outcomes import size_of

pytestmark = pytest.mark.usefixtures("_no_older_uploads")

CONTENT = b"a" * PART + b"b" * PART + b"the end"
NOTHING = {"verified": 0, "mismatched": 0, "failed": 0}


def sha256(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def crc32(content):
    return f"crc32:{zlib.crc32(content):08x}"


@pytest.mark.parametrize(
    ("declared", "outcome"),
    [(sha256(CONTENT), "verified"), (sha256(b"other"), "mismatch"), (None, None)],
)
def test_a_declared_digest_is_compared_by_reading_the_file(begin, memory, declared, outcome):
    upload = begin(content=CONTENT, checksum=declared)
    assert upload.checksum_status == (declared and "declared")
    assert verify() == NOTHING
    complete_upload(upload)
    assert upload.checksum_status == (declared and "declared")
    heard = []
    with after_checksum_check.connected_to(lambda app, upload: heard.append(upload.id)):
        counts = verify()
    names = {"verified": "verified", "mismatch": "mismatched"}
    assert counts == {**NOTHING, **({names[outcome]: 1} if outcome else {})}
    assert upload.checksum_status == outcome
    assert heard == ([upload.id] if outcome else [])
    assert verify() == NOTHING
    assert db.session.get(FileInstance, upload.file_id).readable


def test_a_mismatch_is_reported_in_the_log(begin, caplog):
    upload = begin(content=CONTENT, checksum=sha256(b"other"))
    complete_upload(upload)
    verify()
    [line] = [r for r in caplog.records if getattr(r, "action", "") == "checksum_mismatch"]
    assert line.upload == str(upload.id)
    assert sha256(CONTENT) in line.getMessage()


def test_a_connection_that_breaks_is_taken_up_where_it_ended(begin, memory, monkeypatch):
    upload = begin(content=CONTENT, checksum=sha256(CONTENT))
    complete_upload(upload)
    original, starts = MemoryStore.stream, []

    def breaking(self, key, start=0):
        starts.append(start)
        for number, chunk in enumerate(original(self, key, start)):
            if number == 4:
                raise StoreUnavailable(reason="reset")
            yield chunk

    monkeypatch.setattr(MemoryStore, "stream", breaking)
    assert verify() == {**NOTHING, "verified": 1}
    assert starts == [0, 4 * READ_SIZE, 8 * READ_SIZE]


def test_a_file_that_cannot_be_read_is_read_again_next_time(begin, memory):
    upload = begin(content=CONTENT, checksum=sha256(CONTENT))
    complete_upload(upload)
    for _ in range(6):
        memory.fail("stream", StoreUnavailable(reason="down"))
    assert verify() == {**NOTHING, "failed": 1}
    assert upload.checksum_status == "declared"
    assert verify() == {**NOTHING, "verified": 1}


def test_a_file_that_another_worker_reads_and_one_that_was_removed_are_left_alone(begin, bucket):
    read, removed = (begin(key, content=b"abc", checksum=sha256(b"abc")) for key in "ab")
    for upload in (read, removed):
        complete_upload(upload)
    read.rests_until = utcnow() + timedelta(minutes=1)
    version = db.session.get(ObjectVersion, removed.version_id)
    version.remove()
    db.session.execute(db.delete(FileInstance).where(FileInstance.id == removed.file_id))
    db.session.commit()
    assert verify() == NOTHING


def test_a_worker_keeps_nobody_from_the_files_that_it_has_not_come_to(begin, monkeypatch):
    uploads = [begin(key, content=b"abc", checksum=sha256(b"abc")) for key in "abc"]
    for upload in uploads:
        complete_upload(upload)
    original, taken = MemoryStore.stream, []

    def look(self, key, start=0):
        taken.append(Upload.query.filter(Upload.rests_until.is_not(None)).count())
        db.session.rollback()
        return original(self, key, start)

    monkeypatch.setattr(MemoryStore, "stream", look)
    assert verify() == {**NOTHING, "verified": 3}
    assert taken == [1, 1, 1]


def test_where_the_store_keeps_checksums_nothing_is_read(begin, memory):
    upload = begin(content=CONTENT, checksum=crc32(CONTENT))
    assert upload.store_checksum == "crc32"
    complete_upload(upload)
    assert upload.checksum_status == "verified"
    assert verify() == NOTHING
    assert "stream" not in memory.calls


def test_a_store_that_compares_refuses_and_the_part_can_be_sent_again(begin, memory, bucket):
    flipped = CONTENT[:100] + b"?" + CONTENT[101:]
    upload = begin(content=flipped, checksum=crc32(CONTENT))
    with pytest.raises(PartsRejected, match="BadDigest"):
        complete_upload(upload)
    assert (upload.state, upload.checksum_status) == ("pending", "declared")
    send(memory, upload, CONTENT, parts=[1])
    complete_upload(upload)
    assert (upload.state, upload.checksum_status) == ("completed", "verified")


def test_a_store_that_only_tells_its_checksum_does_not_get_a_wrong_file_published(
    begin, memory, bucket, monkeypatch
):
    upload = begin(content=CONTENT, checksum=crc32(b"other"))
    original = MemoryStore.complete_upload
    monkeypatch.setattr(
        MemoryStore,
        "complete_upload",
        lambda self, key, upload_id, parts, checksum=None: original(self, key, upload_id, parts),
    )
    with pytest.raises(ChecksumMismatch):
        complete_upload(upload)
    assert (upload.state, upload.checksum_status) == ("failed", "mismatch")
    assert "declared checksum" in upload.reason
    assert memory.head(StoredUpload.of(upload).key) is None
    assert (memory.uploads, size_of(bucket)) == ({}, 0)
    assert ObjectVersion.get(bucket.id, "a") is None


def test_a_store_that_says_nothing_of_checksums_leaves_it_to_the_reading(
    begin, memory, monkeypatch
):
    monkeypatch.setattr(MemoryStore, "profile", Profile("none"))
    upload = begin(content=CONTENT, checksum=crc32(CONTENT))
    assert upload.store_checksum is None
    complete_upload(upload)
    assert upload.checksum_status == "declared"
    assert verify() == {**NOTHING, "verified": 1}


@pytest.mark.parametrize("text", ["sha3:00", "md5:short", "sha256:" + "0" * 63, "crc32:"])
def test_a_digest_that_nobody_could_compare_is_refused(begin, bucket, text):
    with pytest.raises(InvalidRequest):
        begin(size=3, checksum=text)
    assert size_of(bucket) == 0


def test_a_part_url_that_insists_on_a_digest_takes_nothing_else(begin, memory):
    upload = begin(size=3)
    digest = Digest.parse(f"md5:{hashlib.md5(b'abc').hexdigest()}")
    [signed] = sign_parts(upload, [1], {1: digest})
    with pytest.raises(StorePartsRejected):
        memory.put_part(signed.url, b"abd")
    memory.put_part(signed.url, b"abc")


def test_parts_are_checked_in_md5_or_in_what_the_store_was_told(begin, memory):
    plain, told = begin(size=3), begin(size=3, checksum=crc32(b"abc"))
    assert (part_checksums(plain), part_checksums(told)) == (["md5"], ["crc32", "md5"])
    digest = Digest.parse(crc32(b"abc"))
    with pytest.raises(InvalidRequest, match="md5, not by crc32"):
        sign_parts(plain, [1], {1: digest})
    memory.put_part(sign_parts(told, [1], {1: digest})[0].url, b"abc")
    [part] = uploaded_parts(told, after=0, limit=10).parts
    assert str(part.checksum) == crc32(b"abc")


def test_an_older_row_with_an_unreadable_digest_does_not_stop_the_others(begin):
    old, new = begin("old", content=b"abc"), begin("new", content=b"abc", checksum=sha256(b"abc"))
    db.session.execute(
        db.update(Upload)
        .where(Upload.id == old.id)
        .values(declared_checksum="md5:whatever", checksum_status="declared")
    )
    db.session.commit()
    for upload in (old, new):
        complete_upload(upload)
    assert verify() == {**NOTHING, "verified": 1}
    assert (old.checksum_status, new.checksum_status) == ("declared", "verified")
