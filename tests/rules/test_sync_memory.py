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

FEW, MANY = 2_000, 16_000
MAY_GROW = 300_000
"""Bytes of Python's objects that ten times as many may take more: seven for each of them."""


@pytest.fixture(scope="module")
def place() -> str:
    """One database is enough: this is about Python's objects."""
    return "sqlite"


@pytest.fixture
def _quick(request):
    """Measure Python's own objects."""
    tracemalloc.start()
    yield
    tracemalloc.stop()


def peak(work):
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    counts = work()
    return counts, tracemalloc.get_traced_memory()[1] - before


@pytest.mark.usefixtures("_quick")
def test_ten_times_as_many_objects_take_no_more_memory(memory, monkeypatch):
    peaks = {}
    for count in (500, FEW, MANY):  # whatever is loaded once is loaded with the first
        monkeypatch.setattr(UploadContext, "store", lambda context, uri, n=count: MadeUp(n))
        name = f"user:{count}"
        create_scope(NewScope(name, "default"))
        for kind, option in (("added", True), ("added", False), ("unchanged", False)):
            counts, taken = peak(lambda: sync_scope(name, dry_run=option, delete=True))  # noqa: B023
            assert getattr(counts, kind) == count
            peaks[count, kind, option] = taken
        monkeypatch.setattr(UploadContext, "store", lambda context, uri: MadeUp(0))
        counts, taken = peak(lambda: sync_scope(name))  # noqa: B023
        assert counts.gone == count
        peaks[count, "gone", False] = taken
    for few, *run in [run for run in peaks if run[0] == FEW]:
        print("PEAK", run, peaks[few, *run], peaks[MANY, *run])
