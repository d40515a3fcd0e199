# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The memory of a sync does not grow with the number of objects.

``benchmarks/sync_memory.py`` does the same with two million of them, on PostgreSQL, in a process
whose whole memory it measures.
"""

from __future__ import annotations

import tracemalloc

import pytest

from benchmarks.sync_memory import MadeUp
from oarepo_s3.services import NewScope, create_scope, sync_scope
from oarepo_s3.services.context import UploadContext

FEW, MANY = 500, 4_000
MAY_GROW = 900_000
"""Bytes that eight times as many objects may take more. To keep the objects themselves takes some
400 for each, 1.4 million; garbage of the pages that is not collected at once comes and goes."""

RUNS = {
    "added": {"dry_run": True},
    "added for good": {},
    "unchanged": {},
    "gone": {},
    "deleted": {"delete": True},
}


@pytest.fixture(scope="module")
def place() -> str:
    """One database is enough: this is about Python's objects."""
    return "sqlite"


@pytest.fixture
def _traced():
    tracemalloc.start()
    yield
    tracemalloc.stop()


@pytest.mark.usefixtures("_traced")
def test_eight_times_as_many_objects_take_no_more_memory(memory, monkeypatch):
    peaks = {}
    for count in (100, FEW, MANY):  # whatever is loaded once is loaded with the first
        create_scope(NewScope(f"user:{count}", "default"))
        for run, options in RUNS.items():
            listed = MadeUp(0 if run in ("gone", "deleted") else count)
            monkeypatch.setattr(UploadContext, "store", lambda context, uri, listed=listed: listed)
            tracemalloc.reset_peak()
            before = tracemalloc.get_traced_memory()[0]
            counts = sync_scope(f"user:{count}", **options)
            peaks[count, run] = tracemalloc.get_traced_memory()[1] - before
            assert getattr(counts, run.partition(" ")[0]) == count
    for run in RUNS:
        assert peaks[MANY, run] - peaks[FEW, run] < MAY_GROW, peaks
