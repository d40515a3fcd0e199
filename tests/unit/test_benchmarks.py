# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The benchmarks run, and the promises that they measure are kept."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

SIGN_URLS = Path(__file__).parents[2] / "benchmarks" / "sign_urls.py"
SMALL = ["--urls", "2000", "--sample", "100", "--rounds", "5"]


def sign_urls(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(SIGN_URLS), *SMALL, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_a_part_url_costs_a_sixtieth_of_what_it_costs_by_boto3():
    done = sign_urls()
    assert done.stderr == ""
    ratio = re.search(r"^ratio: ([\d.]+) \(at least 60 wanted\)$", done.stdout, re.MULTILINE)
    assert ratio, done.stdout
    assert float(ratio[1]) >= 60
    assert done.stdout.count("scaled from 100") == 5
    assert done.returncode == 0


def test_the_benchmark_fails_when_the_ratio_is_below_what_is_wanted():
    assert sign_urls("--at-least", "1000000").returncode == 1
