# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How much of a run was against real servers and a real browser; hooks for conftest.py."""

from __future__ import annotations

import os
from typing import Any

import pytest

REQUIRE_SERVICES = os.environ.get("OAREPO_S3_REQUIRE_SERVICES") == "1"
"""Whether a missing server is a failure: for machines that are there to run all tests."""

COUNTED = ("ceph", "postgres", "browser", "tools")
"""Marks of the tests that need what pip did not bring: Debian packages, an environment of tools."""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let the reports of a test name what it needs; as keywords they have names of folders, too."""
    item.user_properties += [("needs", m) for m in COUNTED if item.get_closest_marker(m)]


def count_by_service(config: pytest.Config) -> dict[str, tuple[int, int]]:
    """Return how many tests ran and how many were skipped, by what they need."""
    stats = config.pluginmanager.get_plugin("terminalreporter").stats
    counts = {}
    for marker in COUNTED:
        ran, skipped = (
            sum(
                ("needs", marker) in report.user_properties
                for outcome in outcomes
                for report in stats.get(outcome, ())
            )
            for outcomes in (("passed", "failed", "xfailed", "xpassed"), ("skipped",))
        )
        counts[marker] = (ran, skipped)
    return counts


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say how much of the run was against the real servers, and what tests have measured."""
    for report in terminalreporter.stats.get("passed", ()):
        for name, value in report.user_properties:
            if name == "measured":
                terminalreporter.write_line(f"measured: {value}")
    for marker, (ran, skipped) in count_by_service(config).items():
        terminalreporter.write_line(f"tests marked {marker}: {ran} ran, {skipped} skipped")


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Fail where the servers are required and a test did without, or none came to need one."""
    # One of several processes sees its own tests only; the first, which has all reports, counts.
    is_worker = hasattr(session.config, "workerinput")
    if REQUIRE_SERVICES and not is_worker and exitstatus == pytest.ExitCode.OK:
        counts = count_by_service(session.config).values()
        if any(skipped or not ran for ran, skipped in counts):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
