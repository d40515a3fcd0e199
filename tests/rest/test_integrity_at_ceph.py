# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The profile of the running Ceph: what the store itself finds out, and what is left to reading."""

from __future__ import annotations

import pytest
from invenio_db import db

from oarepo_s3.core.digests import compute
from oarepo_s3.models import Upload
from oarepo_s3.tasks import verify_declared_checksums as verify

from ..conftest import REAL
from ..people import cut, http, put, send_parts

MIB = 2**20
CONTENT = bytes(range(256)) * (6 * MIB // 256)
FLIPPED = CONTENT[:1000] + b"?" + CONTENT[1001:]
ALGORITHMS = ["crc32", "crc32c", "crc64nvme"]
NOTHING = {"verified": 0, "mismatched": 0, "failed": 0}


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph."""
    return request.param


@pytest.fixture(scope="module")
def keeps_checksums(ceph) -> bool:
    """Whether this Ceph keeps checksums (measured: 20.2 does, 16.2 and 18.2 do not)."""
    return int(ceph.version.partition(".")[0]) >= 20


@pytest.fixture(scope="module")
def app_config(app_config, place, keeps_checksums):
    """The profile that the documentation names for this version."""
    app_config["OAREPO_S3_PROFILE"] = "ceph-20" if keeps_checksums else "ceph"
    return app_config


@pytest.fixture(autouse=True)
def _only_own_uploads(app):
    db.session.execute(db.delete(Upload))
    db.session.commit()


def begin(uploader, bucket, content, algorithm):
    """Declare the right digest, and send this content."""
    digest = str(compute(algorithm, [CONTENT]))
    upload = uploader.begin(bucket, "data", len(CONTENT), part_size=5 * MIB, checksum=digest)
    send_parts(upload, content)
    return upload


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_right_file_is_verified_without_reading_where_the_store_can(
    uploader, bucket, algorithm, keeps_checksums
):
    upload = begin(uploader, bucket, CONTENT, algorithm)
    status = uploader.complete(upload).get_json()["checksum"]["status"]
    assert status == ("verified" if keeps_checksums else "declared")
    assert verify() == {**NOTHING, "verified": 0 if keeps_checksums else 1}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_file_of_one_part_is_verified_as_well(uploader, bucket, algorithm, keeps_checksums):
    digest = str(compute(algorithm, [b"abc"]))
    done = uploader.upload(bucket, "data", b"abc", checksum=digest)
    assert done["checksum"]["status"] == ("verified" if keeps_checksums else "declared")


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_flipped_byte_is_found_at_completion_where_the_store_can(
    uploader, bucket, algorithm, keeps_checksums
):
    upload = begin(uploader, bucket, FLIPPED, algorithm)
    answer = uploader.complete(upload)
    if not keeps_checksums:
        assert answer.status_code == 200
        assert verify() == {**NOTHING, "mismatched": 1}
        return
    if algorithm == "crc64nvme":
        # This Ceph does not compare it, but tells what it is: the object is not published.
        assert (answer.status_code, answer.get_json()["code"]) == (409, "checksum_mismatch")
        seen = uploader.get(upload["links"]["self"]).get_json()
        assert (seen["state"], seen["checksum"]["status"]) == ("failed", "mismatch")
        assert uploader.download(bucket, "data").status_code == 404
        return
    assert (answer.status_code, answer.get_json()["code"]) == (400, "parts_rejected")
    put(upload["urls"][0]["url"], cut(upload, CONTENT, 1))
    assert uploader.complete(upload).get_json()["checksum"]["status"] == "verified"


@pytest.mark.parametrize("algorithm", ["md5", "crc32", "crc32c"])
def test_a_part_url_insists_on_what_the_session_says(uploader, bucket, algorithm, keeps_checksums):
    upload = begin(uploader, bucket, CONTENT, "crc32" if algorithm == "md5" else algorithm)
    assert ("md5" in upload["part_checksums"], algorithm in upload["part_checksums"]) == (
        True,
        algorithm == "md5" or keeps_checksums,
    )
    part = cut(upload, CONTENT, 2)
    address = f"{upload['links']['urls']}?parts=2&checksums={compute(algorithm, [part])}"
    answer = uploader.get(address)
    if algorithm not in upload["part_checksums"]:
        assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")
        return
    [signed] = answer.get_json()["urls"]
    for content, status in ((cut(upload, FLIPPED, 1)[: len(part)], 400), (part, 200)):
        sent = http.request("PUT", signed["url"], body=content, headers=signed["headers"])
        assert sent.status == status


def test_checksums_of_parts_are_listed_where_the_store_keeps_them(
    uploader, bucket, keeps_checksums
):
    upload = begin(uploader, bucket, CONTENT, "crc64nvme")
    listed = uploader.get(upload["links"]["parts"]).get_json()["parts"]
    wanted = [str(compute("crc64nvme", [cut(upload, CONTENT, number)])) for number in (1, 2)]
    assert [part.get("checksum") for part in listed] == (wanted if keeps_checksums else [None] * 2)
