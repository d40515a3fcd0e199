# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which checksums Ceph RGW verifies, and which it says, by its version.

A declared algorithm is one that was named when the upload was opened.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from hashlib import md5, sha1, sha256
from typing import Any

import pytest

from oarepo_s3.core.planning import MIB

from .ceph_traits import OK, Upload, answer

pytestmark = pytest.mark.ceph

BODY = b"the content of a part"
FLIPPED = b"T" + BODY[1:]
PARTS = (b"a" * 5 * MIB, BODY)
BAD_DIGEST = (400, "BadDigest")


def reflected_crc(polynomial: int, bits: int) -> Callable[[bytes], bytes]:
    """Return a function that computes a CRC of this family, bit-reflected, all ones at both ends.

    The standard library has CRC32 alone.
    """
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (polynomial if byte & 1 else 0)
        table.append(byte)
    ones = (1 << bits) - 1

    def compute(content: bytes) -> bytes:
        crc = ones
        for byte in content:
            crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
        return (crc ^ ones).to_bytes(bits // 8, "big")

    return compute


DIGESTS: dict[str, Callable[[bytes], bytes]] = {
    "CRC32": lambda content: zlib.crc32(content).to_bytes(4, "big"),
    "CRC32C": reflected_crc(0x82F63B78, 32),
    "CRC64NVME": reflected_crc(0x9A6C9329AC4BC9B5, 64),
    "SHA1": lambda content: sha1(content).digest(),
    "SHA256": lambda content: sha256(content).digest(),
}
CRCS = ("CRC32", "CRC32C", "CRC64NVME")
NOT_VERIFIED = {"CRC64NVME"}
"""What RGW 20 computes and says, without comparing it with what the client says."""

every_algorithm = pytest.mark.parametrize("algorithm", DIGESTS)


def encode(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


def checksum(algorithm: str, content: bytes) -> str:
    """Return a checksum as S3 writes it."""
    return encode(DIGESTS[algorithm](content))


def declared(algorithm: str) -> dict[str, str]:
    """Return the declaration of an algorithm, with the one type that all stores have for it."""
    kind = "FULL_OBJECT" if algorithm in CRCS else "COMPOSITE"
    return {"ChecksumAlgorithm": algorithm, "ChecksumType": kind}


def of_object(algorithm: str) -> str:
    """Return the checksum of the object that is made of ``PARTS``."""
    if algorithm in CRCS:
        return checksum(algorithm, b"".join(PARTS))
    return f"{encode(DIGESTS[algorithm](b''.join(map(DIGESTS[algorithm], PARTS))))}-{len(PARTS)}"


def signed(upload: Upload, algorithm: str, body: bytes, part: int = 1) -> tuple[int, str]:
    """Send a body by a URL that signs the checksum of ``BODY``."""
    value = checksum(algorithm, BODY)
    url = upload.sign(part, **{f"Checksum{algorithm}": value})
    return upload.put(url, body, **{f"x_amz_checksum_{algorithm.lower()}": value})


def send_all(upload: Upload) -> None:
    """Send ``PARTS`` by plain URLs."""
    for number, content in enumerate(PARTS, start=1):
        assert upload.put(upload.sign(number), content) == OK


def said(described: dict[str, Any]) -> dict[str, Any]:
    """Return what an answer says of checksums."""
    return {name: value for name, value in described.items() if name.startswith("Checksum")}


@pytest.mark.parametrize("algorithm", CRCS)
def test_our_own_sums_are_right(algorithm):
    """The check values of the catalogue of CRCs."""
    known = {"CRC32": "cbf43926", "CRC32C": "e3069283", "CRC64NVME": "ae8b14860a799888"}
    assert DIGESTS[algorithm](b"123456789").hex() == known[algorithm]


@pytest.mark.parametrize("in_url", [True, False], ids=["signed", "not signed"])
def test_the_md5_of_a_part_is_verified(begin, in_url):
    upload = begin()
    value = encode(md5(BODY).digest())
    url = upload.sign(**({"ContentMD5": value} if in_url else {}))
    assert upload.put(url, FLIPPED, Content_MD5=value) == BAD_DIGEST
    assert upload.parts() == []
    assert upload.put(url, BODY, Content_MD5=value) == OK
    assert upload.put(url, FLIPPED, Content_MD5=value) == BAD_DIGEST
    assert [part["ETag"] for part in upload.parts()] == [f'"{md5(BODY).hexdigest()}"']


def test_a_signed_md5_can_be_neither_left_out_nor_replaced(begin):
    upload = begin()
    url = upload.sign(ContentMD5=encode(md5(BODY).digest()))
    mismatch = (403, "SignatureDoesNotMatch")
    assert upload.put(url, FLIPPED) == mismatch
    assert upload.put(url, FLIPPED, Content_MD5=encode(md5(FLIPPED).digest())) == mismatch
    assert upload.parts() == []


@every_algorithm
def test_a_signed_checksum_of_a_part(begin, rgw, algorithm):
    upload = begin(**declared(algorithm))
    verified = rgw.checksums and algorithm not in NOT_VERIFIED
    assert signed(upload, algorithm, BODY, part=1) == OK
    assert signed(upload, algorithm, FLIPPED, part=2) == (BAD_DIGEST if verified else OK)
    assert len(upload.parts()) == (1 if verified else 2)


@every_algorithm
def test_a_checksum_that_was_not_declared_is_ignored(begin, algorithm):
    upload = begin()
    assert signed(upload, algorithm, FLIPPED) == OK
    assert [said(part) for part in upload.parts()] == [{}]


@every_algorithm
def test_parts_are_listed_with_the_checksums_of_what_arrived(begin, rgw, algorithm):
    upload = begin(**declared(algorithm))
    assert said(upload.opened) == ({"ChecksumAlgorithm": algorithm} if rgw.checksums else {})
    assert upload.put(upload.sign(), BODY) == OK
    listed = {f"Checksum{algorithm}": checksum(algorithm, BODY)} if rgw.checksums else {}
    assert [said(part) for part in upload.parts()] == [listed]


@every_algorithm
def test_a_wrong_checksum_of_the_object(begin, rgw, algorithm):
    upload = begin(**declared(algorithm))
    send_all(upload)
    complete = upload.client.complete_multipart_upload
    listed = {**upload.listed(), "ChecksumType": declared(algorithm)["ChecksumType"]}
    wrong = {**listed, f"Checksum{algorithm}": checksum(algorithm, b"other")}
    if rgw.checksums and algorithm not in NOT_VERIFIED:
        assert answer(complete, **wrong) == BAD_DIGEST
        assert answer(upload.client.head_object, **upload.at)[0] == 404
        right = {**listed, f"Checksum{algorithm}": of_object(algorithm)}
        assert answer(complete, **right) == OK
    else:
        assert answer(complete, **wrong) == OK


@every_algorithm
def test_the_checksum_of_the_object_is_said(begin, rgw, algorithm):
    upload = begin(**declared(algorithm))
    send_all(upload)
    done = upload.client.complete_multipart_upload(**upload.listed())
    expected = {
        f"Checksum{algorithm}": of_object(algorithm),
        "ChecksumType": declared(algorithm)["ChecksumType"],
    }
    assert said(done) == (expected if rgw.checksums else {})
    assert said(upload.head()) == (expected if rgw.checksums else {})
    # Without being asked for it, a HEAD says nothing of it.
    assert said(upload.client.head_object(**upload.at)) == {}


@every_algorithm
def test_a_wrong_checksum_of_the_object_that_was_not_declared_is_ignored(begin, algorithm):
    upload = begin()
    send_all(upload)
    wrong = {
        f"Checksum{algorithm}": checksum(algorithm, b"other"),
        "ChecksumType": declared(algorithm)["ChecksumType"],
    }
    complete = upload.client.complete_multipart_upload
    assert answer(complete, **upload.listed(), **wrong) == OK
    assert said(upload.head()) == {}


@pytest.mark.parametrize("algorithm", CRCS)
def test_an_object_of_one_part_is_said_to_be_composite(begin, rgw, algorithm):
    upload = begin(**declared(algorithm))
    assert upload.put(upload.sign(), BODY) == OK
    upload.client.complete_multipart_upload(**upload.listed())
    odd = {
        f"Checksum{algorithm}": f"{checksum(algorithm, BODY)}-1",
        "ChecksumType": "COMPOSITE",
    }
    assert said(upload.head()) == (odd if rgw.checksums else {})


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C"])
def test_a_crc_that_was_declared_to_be_composite_is_one_of_the_whole_object(begin, rgw, algorithm):
    upload = begin(ChecksumAlgorithm=algorithm, ChecksumType="COMPOSITE")
    send_all(upload)
    upload.client.complete_multipart_upload(**upload.listed())
    full = {f"Checksum{algorithm}": of_object(algorithm), "ChecksumType": "FULL_OBJECT"}
    assert said(upload.head()) == (full if rgw.checksums else {})
