# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Content that is read to compute a checksum."""

from __future__ import annotations

import io
from hashlib import md5

import pytest

from oarepo_s3.core.reading import READ_SIZE, chunks, part_digests

CONTENT = bytes(range(256)) * (READ_SIZE // 256 * 2) + b"end"


def digests(part_size, size, content=CONTENT):
    return list(part_digests(io.BytesIO(content), part_size, size, None))


@pytest.mark.parametrize(
    "part_size", [READ_SIZE - 1, READ_SIZE, READ_SIZE + 1, len(CONTENT), len(CONTENT) + 1]
)
def test_each_part_has_its_digest_however_it_is_read(part_size):
    parts = [CONTENT[at : at + part_size] for at in range(0, len(CONTENT), part_size)]
    assert digests(part_size, len(CONTENT)) == [md5(part).digest() for part in parts]


def test_parts_that_end_with_the_content_have_no_empty_one_behind_them():
    assert len(digests(2, 4, b"abcd")) == 2


def test_without_a_part_size_the_whole_has_one_digest():
    assert digests(None, len(CONTENT)) == [md5(CONTENT).digest()]


@pytest.mark.parametrize("part_size", [None, 5])
def test_no_content_has_the_digest_of_nothing(part_size):
    assert digests(part_size, 0, b"") == [md5(b"").digest()]


@pytest.mark.parametrize("part_size", [None, 4])
def test_content_that_ends_too_early_ends_the_reading(part_size):
    assert digests(part_size, 10, b"ab") == [md5(b"ab").digest()]


def test_progress_is_told_after_each_piece():
    told = []
    pieces = list(chunks(io.BytesIO(b"abcde"), 2, 5, lambda *of: told.append(of)))
    assert pieces == [b"ab", b"cd", b"e"]
    assert told == [(5, 2), (5, 4), (5, 5)]
    told.clear()
    list(part_digests(io.BytesIO(b"abcde"), 3, 5, lambda *of: told.append(of)))
    assert told == [(5, 3), (5, 5)]
