# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What came of a sync, and of several."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any


@dataclass(slots=True)
class ObjectCounts:
    """What was found, in objects.

    ``gone`` ones are those that the store has no more and whose version still stands; with
    ``delete`` they are ``deleted``. ``known`` ones are files of Invenio in another way: uploaded
    through it, deleted in it, or of another bucket. ``skipped`` ones have a name that no file can
    have.
    """

    unchanged: int = 0
    added: int = 0
    changed: int = 0
    deleted: int = 0
    gone: int = 0
    known: int = 0
    skipped: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Return the counts by name."""
        return asdict(self)

    def add(self, other: ObjectCounts) -> None:
        """Count what another one has counted."""
        for each in fields(ObjectCounts):
            setattr(self, each.name, getattr(self, each.name) + getattr(other, each.name))


@dataclass(slots=True, kw_only=True)
class SyncCounts(ObjectCounts):
    """What the sync of one scope has found.

    :param bucket: id of the bucket of files-rest; None for one that a dry run did not make.
    """

    scope: str
    bucket: str | None


@dataclass(slots=True, kw_only=True)
class SyncTotals(ObjectCounts):
    """What came of several scopes: ``scopes`` is the number of those that went through, and
    ``failed`` has the names of the others."""

    scopes: int = 0
    failed: list[str] = field(default_factory=list)
