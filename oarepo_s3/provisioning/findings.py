# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a check has found: what it means, and the command that mends it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from ..backends import Profile


class Level(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    """As it should be."""
    NOTE = "note"
    """Good to know; among these is what could not be looked at, and why."""
    WARNING = "warning"
    """Uploads work, but not for everybody, not for ever, or not as cheaply as they could."""
    FAILURE = "failure"
    """Uploads do not work, or will be lost."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One result.

    :param check: the name of what was looked at; one check may find several things.
    :param message: a sentence that says what it means.
    :param remedy: the command, or what else has to be done; None where nothing has to be.
    """

    check: str
    level: Level
    message: str
    remedy: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that was found at one place.

    :param profile: what the store was found to be able to do; None when that could not be tried.
    :param left_behind: test objects and uploads that could not be removed, by their keys.
    """

    place: str
    findings: Sequence[Finding]
    profile: Profile | None = None
    left_behind: Sequence[str] = ()

    @property
    def failed(self) -> bool:
        """Whether there is a failure."""
        return any(finding.level is Level.FAILURE for finding in self.findings)

    @property
    def warned(self) -> bool:
        """Whether there is a warning, or worse."""
        return any(finding.level in (Level.WARNING, Level.FAILURE) for finding in self.findings)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON has it."""
        return {
            "place": self.place,
            "failed": self.failed,
            "findings": [asdict(finding) for finding in self.findings],
            "profile": self.profile.as_dict() if self.profile else None,
            "left_behind": list(self.left_behind),
        }
