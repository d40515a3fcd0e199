# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Digests are read strictly, written one way, and computed in pieces."""

from __future__ import annotations

import hashlib
from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oarepo_s3.core import digests
from oarepo_s3.core.digests import LENGTHS, Digest, computable, compute
from oarepo_s3.core.errors import InvalidRequest

# Check values of the catalogue of parametrised CRC algorithms (G. Cook), for b"123456789".
CHECK = {"crc32": "cbf43926", "crc32c": "e3069283", "crc64nvme": "ae8b14860a799888"}


@pytest.mark.parametrize("algorithm", LENGTHS)
@pytest.mark.parametrize("write", [bytes.hex, lambda v: b64encode(v).decode()], ids=["hex", "b64"])
@given(data=st.data())
def test_hex_and_base64_are_read_and_hex_is_written(algorithm, write, data):
    length = LENGTHS[algorithm]
    value = data.draw(st.binary(min_size=length, max_size=length))
    digest = Digest.parse(f"{algorithm}:{write(value)}")
    assert (digest.value, str(digest)) == (value, f"{algorithm}:{value.hex()}")
    assert digest.base64 == b64encode(value).decode()


def test_capital_digits_are_the_same_digest():
    assert str(Digest.parse("crc32:CBF43926")) == "crc32:cbf43926"


@pytest.mark.parametrize(
    "text",
    [
        "", "md5", "md5:", "md5:xyz", "sha3:00", "MD5:" + "0" * 32, "md5:" + "0" * 31,
        "md5:" + "0" * 33, "md5:" + "g" * 32, "crc32:cbf4 926", "crc32:y/Q5J", "sha256:" + "0" * 32,
        "md5:" + "é" * 32, "crc32:\u0661\u0662\u0663\u0664\u0661\u0662\u0663\u0664", ":" + "0" * 32,
        "md5::" + "0" * 32,
    ],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(InvalidRequest):
        Digest.parse(text)


@given(st.text())
def test_no_text_is_read_in_another_way_than_by_refusing_it(text):
    for algorithm in LENGTHS:
        try:
            digest = Digest.parse(f"{algorithm}:{text}")
        except InvalidRequest:
            continue
        assert len(digest.value) == LENGTHS[algorithm]


@pytest.mark.parametrize("algorithm", LENGTHS)
@pytest.mark.parametrize("pieces", [[b"123456789"], [b"1234", b"", b"56789"]])
def test_a_digest_is_computed_piece_by_piece(algorithm, pieces):
    wanted = CHECK.get(algorithm) or hashlib.new(algorithm, b"123456789").hexdigest()
    assert str(compute(algorithm, pieces)) == f"{algorithm}:{wanted}"


def test_without_the_optional_package_the_others_are_computed(monkeypatch):
    assert computable() == set(LENGTHS)
    monkeypatch.setattr(digests, "anycrc", None)
    assert computable() == set(LENGTHS) - {"crc32c", "crc64nvme"}
    assert str(compute("crc32", [b"123456789"])) == "crc32:cbf43926"
    with pytest.raises(KeyError):
        compute("crc64nvme", [b""])
