# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The totals of several syncs are the sums of all that one counts."""

from __future__ import annotations

from oarepo_s3.services import SyncCounts, SyncTotals

NAMES = ("unchanged", "added", "changed", "deleted", "gone", "known", "skipped")


def test_totals_have_the_sum_of_each_number_of_a_sync():
    numbers = {name: 10**place for place, name in enumerate(NAMES)}
    totals = SyncTotals()
    for scope in ("user:a", "user:b"):
        totals.add(SyncCounts(scope=scope, bucket=None, **numbers))
    expected = {name: 2 * number for name, number in numbers.items()}
    assert totals.as_dict() == {**expected, "scopes": 0, "failed": []}


def test_a_sync_counts_nothing_that_totals_lack():
    counted = SyncCounts(scope="user:a", bucket=None).as_dict().keys() - {"scope", "bucket"}
    assert counted == SyncTotals().as_dict().keys() - {"scopes", "failed"} == set(NAMES)
