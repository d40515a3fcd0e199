# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Findings as commands print them: a sign and a word each, and below it what mends it."""

from __future__ import annotations

from collections.abc import Iterator

from ..backends import Profile
from ..core.quantities import show_count
from ..provisioning.findings import Finding, Level, Report

SIGNS = {
    Level.OK: "+ ok     ",
    Level.NOTE: "- note   ",
    Level.WARNING: "! WARNING",
    Level.FAILURE: "x FAILURE",
}
"""What a line begins with: it has to be readable without colours, too."""


def finding_lines(finding: Finding) -> Iterator[str]:
    """Yield the lines of one finding."""
    yield f"{SIGNS[finding.level]}  {finding.check}: {finding.message}"
    if finding.remedy:
        yield f"             -> {finding.remedy}"


def report_lines(report: Report) -> Iterator[str]:
    """Yield the lines of a report, and at the end what the store can do."""
    for finding in report.findings:
        yield from finding_lines(finding)
    if report.profile is not None:
        yield from ability_lines(report.profile)
    counts = dict.fromkeys(Level, 0)
    for finding in report.findings:
        counts[finding.level] += 1
    failures, warnings = counts[Level.FAILURE], counts[Level.WARNING]
    yield f"{report.place}: {show_count(failures, 'failure')}, {show_count(warnings, 'warning')}"


def ability_lines(profile: Profile) -> Iterator[str]:
    """Yield what a store can do beyond uploads, by the fields of its profile."""
    yield "What the store can do, as it was tried:"
    for name, value in profile.as_dict().items():
        if name == "name":
            continue
        yield f"  {name.replace('_', ' ')}: {_said(value)}"


def _said(value: bool | list[str]) -> str:
    if isinstance(value, list):
        return ", ".join(value) or "none"
    return "yes" if value else "no"
