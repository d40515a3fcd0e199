# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The run over several versions of Ceph: what it counts, prints and says in the end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from . import versions
from .versions import Result, count, main, table

GOOD = Result("16.2.15", passed=336, failed=0, seconds=121.3, ok=True)
BAD = Result("20.2.4", passed=330, failed=6, seconds=90.6, ok=False)

SAMPLE = """
import pytest

def test_one(): pass
def test_two(): pass
def test_fails(): assert False
def test_is_skipped(): pytest.skip("why")

@pytest.fixture
def broken(): raise ValueError

def test_breaks(broken): pass
"""


def test_a_report_of_pytest_is_counted(tmp_path):
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml=r.xml"]
    subprocess.run(command, cwd=tmp_path, capture_output=True, check=False)
    assert count(tmp_path / "r.xml") == (2, 2)


def test_a_run_without_a_report_has_passed_nothing(tmp_path):
    assert count(tmp_path / "r.xml") == (0, 0)


def test_the_table_has_a_line_for_each_version():
    assert table([GOOD, BAD]).splitlines() == [
        "Ceph RGW    passed  failed  seconds",
        "16.2.15        336       0      121  ok",
        "20.2.4         330       6       91  FAILED",
    ]


@pytest.mark.parametrize(
    ("results", "status"),
    [([GOOD, GOOD, GOOD], 0), ([GOOD, BAD, GOOD], 1), ([BAD, GOOD, GOOD], 1)],
)
def test_a_failure_with_any_version_is_a_failure(monkeypatch, tmp_path, capsys, results, status):
    """The run itself is left out: it takes minutes."""
    asked: list[Path | None] = []

    def run_tests(root: Path | None) -> Result:
        asked.append(root)
        return results[len(asked) - 1]

    monkeypatch.setattr(versions, "run_tests", run_tests)
    for suite in versions.SUITES:
        (tmp_path / suite).mkdir()
    assert main([str(tmp_path)]) == status
    assert asked == [None, tmp_path / "trixie", tmp_path / "sid"]
    assert table(results) in capsys.readouterr().out


def test_roots_are_kept_outside_the_checkout(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert versions.default_directory() == Path("/somewhere/oarepo-s3-ceph")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert versions.default_directory() == Path.home() / ".cache/oarepo-s3-ceph"
