# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A byte that flips on its way to a real store is found out wherever the client gave digests."""

from __future__ import annotations

import hashlib
import tracemalloc
import zlib
from base64 import b64encode

import pytest
from invenio_db import db
from invenio_files_rest.models import FileInstance

from oarepo_s3.core.digests import compute
from oarepo_s3.models import Upload
from oarepo_s3.tasks import verify_declared_checksums as verify

from ..people import cut, http, path, put, send_parts

MIB = 2**20
CONTENT = bytes(range(256)) * (6 * MIB // 256)
FLIPPED = CONTENT[:1000] + b"?" + CONTENT[1001:]
NOTHING = {"verified": 0, "mismatched": 0, "failed": 0}


@pytest.fixture(autouse=True)
def _only_own_uploads(app):
    db.session.execute(db.delete(Upload))
    db.session.commit()


def begin(uploader, bucket, **more):
    return uploader.begin(bucket, "data", len(CONTENT), part_size=5 * MIB, **more)


def md5(content):
    return hashlib.md5(content)


def checked_urls(uploader, upload, digests):
    address = f"{upload['links']['urls']}?parts=1-2&checksums={','.join(digests)}"
    answer = uploader.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()["urls"]


def test_a_part_that_is_not_what_its_url_was_signed_for_is_refused_by_the_store(uploader, bucket):
    upload = begin(uploader, bucket)
    parts = [cut(upload, CONTENT, number) for number in (1, 2)]
    urls = checked_urls(uploader, upload, [f"md5:{md5(part).hexdigest()}" for part in parts])
    assert urls[0]["headers"] == {"Content-MD5": b64encode(md5(parts[0]).digest()).decode()}

    def send(number, content, headers):
        signed = urls[number - 1]
        return http.request("PUT", signed["url"], body=content, headers=headers).status

    assert send(1, cut(upload, FLIPPED, 1), urls[0]["headers"]) == 400
    assert send(1, cut(upload, FLIPPED, 1), {}) == 403, "the header cannot be left out"
    assert uploader.get(upload["links"]["parts"]).get_json()["parts"] == []
    for number, part in enumerate(parts, 1):
        assert send(number, part, urls[number - 1]["headers"]) == 200
    assert uploader.complete(upload).status_code == 200


def test_a_flipped_byte_is_found_at_completion_by_the_clients_own_etags(uploader, bucket):
    upload = begin(uploader, bucket)
    send_parts(upload, FLIPPED)
    claims = [
        {"PartNumber": number, "ETag": md5(cut(upload, CONTENT, number)).hexdigest()}
        for number in (1, 2)
    ]
    answer = uploader.complete(upload, json={"parts": claims})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "etag_mismatch")
    assert [error["field"] for error in answer.get_json()["errors"]] == ["parts.1"]

    put(upload["urls"][0]["url"], cut(upload, CONTENT, 1))
    assert uploader.complete(upload, json={"parts": claims}).status_code == 200


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "crc32", "crc32c", "crc64nvme"])
def test_the_digest_of_the_whole_is_verified_by_a_task(uploader, bucket, algorithm):
    declared = str(compute(algorithm, [CONTENT]))
    right = uploader.begin(bucket, "right", len(CONTENT), checksum=declared)
    wrong = uploader.begin(bucket, "wrong", len(CONTENT), checksum=declared)
    send_parts(right, CONTENT)
    send_parts(wrong, FLIPPED)
    for upload in (right, wrong):
        seen = uploader.complete(upload).get_json()
        assert seen["checksum"] == {"value": declared, "status": "declared"}
        assert seen["file"]["checksum"].startswith("multipart:")
    assert verify() == {**NOTHING, "verified": 1, "mismatched": 1}
    verified, mismatch = (
        uploader.get(upload["links"]["self"]).get_json() for upload in (right, wrong)
    )
    assert (verified["checksum"]["status"], mismatch["checksum"]["status"]) == (
        "verified",
        "mismatch",
    )
    assert verified["file"]["checksum"] == declared
    assert mismatch["file"]["checksum"].startswith("multipart:")
    for seen in (verified, mismatch):
        file = db.session.get(FileInstance, seen["file"]["file_id"])
        assert file.checksum == seen["file"]["checksum"]


@pytest.mark.parametrize("parts", [1, 2])
def test_an_md5_is_verified_without_reading_where_the_etag_proves_it(
    uploader, bucket, place, parts
):
    """Ceph's ETag does so for one part, rclone's always."""
    content = CONTENT[: (parts - 1) * 5 * MIB + 7]
    flipped = b"?" + content[1:]
    declared = f"md5:{md5(content).hexdigest()}"
    begun = [
        uploader.begin(bucket, key, len(content), part_size=5 * MIB, checksum=declared)
        for key in ("right", "wrong")
    ]
    assert [upload["num_parts"] for upload in begun] == [parts, parts]
    for upload, sent in zip(begun, (content, flipped), strict=True):
        send_parts(upload, sent)
    right, wrong = (uploader.complete(upload).get_json() for upload in begun)
    proved = parts == 1 or place == "local"
    assert right["checksum"]["status"] == ("verified" if proved else "declared")
    assert (right["file"]["checksum"] == declared) is proved
    assert wrong["checksum"]["status"] == "declared"
    assert verify() == {"verified": int(not proved), "mismatched": 1, "failed": 0}
    right = uploader.get(right["links"]["self"]).get_json()
    assert (right["checksum"]["status"], right["file"]["checksum"]) == ("verified", declared)


def test_a_file_is_verified_in_flat_memory(uploader, bucket):
    content = b"\1" * (48 * MIB)
    declared = f"crc32:{zlib.crc32(content):08x}"
    uploader.upload(bucket, "large", content, checksum=declared)
    del content
    tracemalloc.start()
    try:
        assert verify() == {**NOTHING, "verified": 1}
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize(
    "query",
    [
        "parts=1-2&checksums=md5:00",
        "parts=1-2&checksums=md5:" + "0" * 32,
        "parts=1&checksums=sha256:" + "0" * 64,
        "parts=1&checksums=what:" + "0" * 64,
        "parts=1&checksums=,",
    ],
)
def test_digests_that_do_not_fit_are_refused(uploader, bucket, query):
    upload = begin(uploader, bucket)
    answer = uploader.get(f"{path(upload['links']['urls'])}?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


def test_a_digest_that_nobody_could_compare_is_refused_at_once(uploader, bucket):
    for text in ("sha3-256:" + "0" * 64, "sha256:0", "md5:" + "x" * 32):
        answer = uploader.post(
            "/multipart-uploads",
            json={"bucket": str(bucket.id), "key": "a", "size": 3, "checksum": text},
        )
        assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")
