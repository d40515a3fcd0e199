# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The checksum of a multipart object."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oarepo_s3.core.checksums import MultipartChecksum, composite_etag, is_etag_of, strip_etag

MD5 = "9e107d9d372bb6826bd81d3542a419d6"


@pytest.mark.parametrize("etag", [MD5, f'"{MD5}"', f'W/"{MD5}"', f' "{MD5}" ', f"W/{MD5}"])
def test_an_etag_is_the_same_with_and_without_what_http_puts_around_it(etag):
    assert strip_etag(etag) == MD5


def test_the_etag_of_a_multipart_object_is_the_md5_of_the_md5s_and_their_number():
    parts = [b"a" * 10, b"b" * 10, b"c"]
    digests = [hashlib.md5(part).digest() for part in parts]
    expected = hashlib.md5(digests[0] + digests[1] + digests[2]).hexdigest() + "-3"
    assert composite_etag(digests) == expected
    assert composite_etag(iter(digests)) == expected


def test_the_etag_of_an_empty_object_of_one_part_is_the_known_one():
    # MD5 of the MD5 of nothing, as AWS, Ceph and MinIO answer for one empty part.
    assert composite_etag([hashlib.md5(b"").digest()]) == "59adb24ef3cdbe0297f05b395827453f-1"


@given(st.lists(st.binary(max_size=9), min_size=1, max_size=3), st.booleans())
def test_an_etag_proves_the_md5_of_the_content_or_of_the_only_part(parts, composite):
    digests = [hashlib.md5(part).digest() for part in parts]
    whole = hashlib.md5(b"".join(parts))
    etag = composite_etag(digests) if composite else whole.hexdigest()
    assert is_etag_of(whole.digest(), etag) is (not composite or len(parts) == 1)
    assert not is_etag_of(hashlib.md5(b"".join(parts) + b"?").digest(), etag)


@pytest.mark.parametrize("etag", ["", "-1", "opaque", MD5[:-1], f"{MD5}-1", f"{MD5}-0"])
def test_any_other_etag_proves_nothing(etag):
    assert not is_etag_of(bytes.fromhex(MD5), etag)


@given(st.text(min_size=1), st.integers(0, 10**19 - 1))
def test_a_checksum_survives_being_written_and_read(etag, part_size):
    checksum = MultipartChecksum(etag, part_size)
    assert MultipartChecksum.parse(str(checksum)) == checksum


def test_the_written_form_is_that_of_records_resources():
    assert str(MultipartChecksum(f"{MD5}-3", 16)) == f"multipart:{MD5}-3-16"


@pytest.mark.parametrize(
    "checksum",
    [
        None,
        "",
        f"md5:{MD5}",
        "multipart:",
        f"multipart:{MD5}",
        "multipart:-5",
        f"multipart:{MD5}-",
        f"multipart:{MD5}-x",
        f"multipart:{MD5}--",
        f"multipart:{MD5}-٣",
        f"multipart:{MD5}-1\n",
        f"multipart:{MD5}-{'9' * 5000}",
        f"MULTIPART:{MD5}-5",
    ],
)
def test_any_other_checksum_is_no_multipart_checksum(checksum):
    assert MultipartChecksum.parse(checksum) is None


@given(st.none() | st.text() | st.text().map("multipart:{}".format))
@example("multipart:x-" + "1" * 5000)
def test_whatever_is_stored_reading_it_never_fails(checksum):
    found = MultipartChecksum.parse(checksum)
    assert found is None or (found.etag and found.part_size >= 0)


@pytest.mark.parametrize(
    ("etag", "composite", "md5"),
    [
        (f"{MD5}-1", True, False),
        (f"{MD5}-10000", True, False),
        (MD5, False, True),
        (f"{MD5}-", False, False),
        (f"{MD5}-x", False, False),
        (f"{MD5}-1\n", False, False),
        (f"{MD5}\n", False, False),
        (MD5.upper(), False, False),
        (MD5[:-1], False, False),
        ("opaque", False, False),
    ],
)
def test_the_form_of_an_etag_says_what_it_is_a_digest_of(etag, composite, md5):
    checksum = MultipartChecksum(etag, 16)
    assert (checksum.is_composite, checksum.is_md5) == (composite, md5)
