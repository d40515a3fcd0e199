# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The browser's memory stays flat: a part is a view of the file, and never a copy of it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .chromium import devtools
from .uploader import MIB, Uploader

pytestmark = pytest.mark.browser

SIZE = 10**9
MOST = SIZE // 20
"""Bytes that all processes of the browser may grow by; three parts have as many."""

MOST_IN_SCRIPTS = 8 * MIB


@pytest.mark.parametrize("place", ["local"], indirect=True)
def test_a_large_file_is_never_in_memory(
    place, chromium, visitor, bucket_id, made, tmp_path, record_property
):
    file = tmp_path / "sparse.bin"
    with file.open("wb") as output:
        output.truncate(SIZE)
    uploader = Uploader.opened(visitor, bucket=bucket_id)
    tools = devtools(uploader.page)
    # What a browser needs for any upload is not for this one.
    uploader.upload(made(100 * MIB, "before.bin"))
    uploader.wait_for_results(1)
    uploader.drop(file)
    memory = [memory_of(chromium.pids())]
    heap = [heap_of(tools)]

    uploader.press("Upload")
    while uploader.results.count() < 2:
        uploader.page.wait_for_timeout(100)
        assert uploader.problems.count() == 0
        memory.append(memory_of(chromium.pids()))
        heap.append(heap_of(tools))

    grown, grown_in_scripts = max(memory) - memory[0], max(heap) - heap[0]
    record_property(
        "measured",
        f"memory of the browser for {SIZE} bytes: {grown / SIZE:.1%} of that more, at most;"
        f" {grown_in_scripts / MIB:.1f} MiB of them in scripts; {len(memory)} samples",
    )
    assert len(memory) > 20
    assert grown < MOST
    assert grown_in_scripts < MOST_IN_SCRIPTS


def heap_of(tools) -> int:
    """Return the bytes that scripts of a page use; what they have let go is not collected yet."""
    return tools.send("Runtime.getHeapUsage")["usedSize"]


def memory_of(pids: list[int]) -> int:
    """Return the bytes of processes that are in memory, and of no file."""
    return sum(kib * 1024 for pid in pids for kib in kinds_of(pid))


def kinds_of(pid: int) -> list[int]:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        # It has ended meanwhile.
        return []
    return [int(kib) for kib in re.findall(r"^Rss(?:Anon|Shmem):\s+(\d+) kB", status, re.MULTILINE)]
