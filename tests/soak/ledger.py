# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the clients wanted, did and were told: the side of the comparison that no server knows."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Told:
    """One upload, as its client knows it."""

    id: str
    story: str
    bucket: str
    key: str
    size: int
    sha256: str
    completed: bool = False
    """A call to complete was answered with 200."""
    aborted: bool = False
    """A call to abort was answered with 204."""
    may_end: str | None = None
    """Why the upload may have ended without a file; None when it may not."""
    may_be_lost: bool = False
    """The script itself removed it at the store, or its version from the bucket."""
    version: str | None = None
    """The version that complete answered with."""
    deleted: bool = False
    """The client asked for this version to be removed for good."""
    notes: list[str] = field(default_factory=list)
    """Answers that contradict what was answered before."""


class Ledger:
    """All of that, from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.uploads: list[Told] = []
        self.statuses: dict[str, Counter[str]] = {}
        self.longest: dict[str, float] = {}
        self.spent: Counter[str] = Counter()
        self.counts: Counter[str] = Counter()

    def add(self, told: Told) -> Told:
        """Note a new upload."""
        with self._lock:
            self.uploads.append(told)
        return told

    def answered(self, call: str, status: int | None, seconds: float) -> None:
        """Count an answer; None for no answer."""
        with self._lock:
            self.statuses.setdefault(call, Counter())[str(status or "none")] += 1
            self.longest[call] = max(self.longest.get(call, 0), seconds)
            self.spent[call] += seconds

    def count(self, what: str, number: int = 1) -> None:
        """Count anything else."""
        with self._lock:
            self.counts[what] += number

    def get(self, what: str) -> int:
        """Return a count."""
        with self._lock:
            return self.counts[what]
