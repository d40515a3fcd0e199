# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A short soak from the outside: what it prints, its exit status, and that nothing stays behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .script import ROOT, processes_of

TIMEOUT = 240

pytestmark = [
    pytest.mark.ceph,
    pytest.mark.postgres,
    # They say what is missing; the script starts servers of its own.
    pytest.mark.usefixtures("ceph", "postgres"),
]


class Soak:
    """One run, with a folder of its own for temporary files."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.soak", *arguments],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(self.place)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def processes(self) -> dict[int, str]:
        """Return the command lines of what runs for it, by process id."""
        return processes_of(self.place)

    def left_behind(self) -> list[str]:
        """Return what should not be there afterwards: processes and files."""
        return [*self.processes().values(), *map(str, self.place.iterdir())]


@pytest.fixture
def soak(tmp_path) -> Iterator[Soak]:
    made = Soak(tmp_path)
    yield made
    assert made.left_behind() == []


def test_all_is_equal_after_kills_and_faults(soak):
    process = soak.start("--seconds", "20", "--seed", "20")
    output, _ = process.communicate(timeout=TIMEOUT)
    lines = output.splitlines()
    assert process.returncode == 0, output
    assert lines[0].startswith("soak: seed 20, 20 s")
    compared = [line for line in lines if line.startswith(("  equal ", "  UNEQUAL "))]
    assert len(compared) > 20
    assert all(line.startswith("  equal ") for line in compared)
    assert lines[-1].startswith("soak: all equal: seed 20")


def test_an_interrupt_ends_it_and_leaves_nothing(soak):
    process = soak.start("--seconds", "60")
    deadline = time.monotonic() + TIMEOUT
    while not any("celery" in line or "nursery" in line for line in soak.processes().values()):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    time.sleep(3)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 1, output
    assert output.splitlines()[-1] == "interrupted"


def test_a_wrong_call_is_told_apart(soak):
    process = soak.start("--seconds", "0")
    output, _ = process.communicate(timeout=TIMEOUT)
    assert process.returncode == 2
    assert "--seconds" in output
