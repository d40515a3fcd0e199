# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Times are aware and in UTC, and written in one way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oarepo_s3.core.times import isoformat, utcnow

PRAGUE = timezone(timedelta(hours=2))
EARLY = datetime(1000, 1, 2, tzinfo=UTC).replace(tzinfo=None)


def test_now_is_aware_and_in_utc():
    before = datetime.now(UTC)
    now = utcnow()
    assert before <= now <= datetime.now(UTC)
    assert now.tzinfo is UTC


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 2, 3, 4, 5, 999_999, tzinfo=UTC), "2026-01-02T03:04:05Z"),
        (datetime(2026, 1, 1, 1, 0, 0, tzinfo=PRAGUE), "2025-12-31T23:00:00Z"),
    ],
)
def test_a_time_is_written_in_utc_to_the_second(moment, text):
    assert isoformat(moment) == text


@given(st.datetimes(min_value=EARLY, timezones=st.just(PRAGUE)))
def test_a_written_time_is_the_same_moment(moment):
    written = datetime.fromisoformat(isoformat(moment))
    assert timedelta(0) <= moment - written < timedelta(seconds=1)


def test_a_time_without_a_zone_is_not_written():
    with pytest.raises(ValueError, match="aware"):
        isoformat(EARLY)
