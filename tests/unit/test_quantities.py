# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Times and sizes as people write them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from oarepo_s3.core.quantities import (
    parse_duration,
    parse_size,
    show_count,
    show_duration,
    show_size,
)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", 90),
        ("15m", 900),
        ("12h", 43_200),
        ("2d", 172_800),
        ("1w", 604_800),
        (" 2D ", 172_800),
    ],
)
def test_a_time_is_read(text, seconds):
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "2", "d", "2 d", "-2d", "1.5d", "2x", "999999999w", "9999999d", "\u0662d"]
)
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match=r"no time such as|too long"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1000", 1000),
        ("12 B", 12),
        ("64KiB", 65_536),
        ("16MiB", 16 * 2**20),
        ("5 GiB", 5 * 2**30),
        ("5G", 5 * 2**30),
        ("5gb", 5 * 2**30),
        ("1TiB", 2**40),
    ],
)
def test_a_size_is_read(text, size):
    assert parse_size(text) == size


@pytest.mark.parametrize(
    "text", ["", "GiB", "-1", "1.5GiB", "5 GiBs", "5PiB", "five", "\u0665", "9999999T"]
)
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match=r"no size such as|too large"):
        parse_size(text)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-5, "0s"),
        (0, "0s"),
        (59, "59s"),
        (60, "1m"),
        (61, "1m 1s"),
        (3600, "1h"),
        (3659, "1h"),
        (7199, "1h 59m"),
        (86_400, "1d"),
        (86_400 + 3599, "1d"),
        (180_000, "2d 2h"),
        (864_000, "10d"),
    ],
)
def test_a_time_is_written_in_its_two_largest_units(seconds, text):
    assert show_duration(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0 B"), (1023, "1023 B"), (1024, "1.0 KiB"), (2**20, "1.0 MiB"), (3 * 2**40, "3.0 TiB")],
)
def test_a_size_is_written_in_its_largest_unit(size, text):
    assert show_size(size) == text


@pytest.mark.parametrize(
    ("number", "said"), [(0, "0 open uploads"), (1, "1 open upload"), (2, "2 open uploads")]
)
def test_one_is_not_several(number, said):
    assert show_count(number, "open upload") == said
