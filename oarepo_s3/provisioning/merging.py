# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Our rules among those that a bucket has already: others stay, and the second time is the first.

Stores give rules back in another order and another form than they took them, so what is compared is
what the rules mean.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..backends import AdministersBucket
from ..backends.operators import Document

Rule = dict[str, Any]

_MEMBER: dict[Document, str] = {"cors": "CORSRules", "lifecycle": "Rules"}
"""Where a document has its rules."""


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done to a document of a bucket.

    :param before: the document as it is; None where there is none.
    :param after: as it shall be.
    :param needed: whether both mean something else.
    """

    kind: Document
    before: Mapping[str, Any] | None
    after: Mapping[str, Any]
    needed: bool

    def difference(self) -> Iterator[str]:
        """Yield the lines of a unified diff."""
        yield from difflib.unified_diff(
            _lines(self.before), _lines(self.after), "is", "shall be", lineterm=""
        )


def plan_rules(store: AdministersBucket, kind: Document, ours: Mapping[str, Any]) -> Change:
    """Read what a bucket has and put our rules among it, by their IDs.

    :param kind: ``cors`` or ``lifecycle``.
    :raises StoreMisconfigured: when the store has no such documents, or the bucket is not there.
    """
    member = _MEMBER[kind]
    before = store.read_document(kind)
    there = [_modern(rule) for rule in (before or {}).get(member, ())]
    mine = [dict(rule) for rule in ours[member]]
    # Ceph takes the first CORS rule whose origin fits.
    after = [*mine, *_others(there, mine)] if kind == "cors" else [*_others(there, mine), *mine]
    return Change(
        kind,
        {member: there} if before else None,
        {member: after},
        needed=_meaning(kind, there) != _meaning(kind, after),
    )


def plan_switches(store: AdministersBucket, kind: Document, ours: Mapping[str, bool]) -> Change:
    """Read the switches of a bucket, and turn on those that shall be on; none is turned off."""
    before = store.read_document(kind)
    after = {name: on or bool((before or {}).get(name)) for name, on in ours.items()}
    return Change(kind, before, after, needed=before != after)


def apply_change(store: AdministersBucket, change: Change) -> None:
    """Write a document, unless it is already as it shall be."""
    if change.needed:
        store.write_document(change.kind, change.after)


def _others(there: Sequence[Rule], mine: Sequence[Rule]) -> list[Rule]:
    ids = {rule["ID"] for rule in mine}
    return [rule for rule in there if rule.get("ID") not in ids]


def _modern(rule: Mapping[str, Any]) -> Rule:
    """Return a lifecycle rule with a filter: a prefix of its own is the older form, in which Ceph
    answers, and AWS refuses both forms in one document."""
    found = dict(rule)
    if "Prefix" in found:
        found["Filter"] = {"Prefix": found.pop("Prefix")}
    return found


def _meaning(kind: Document, rules: Sequence[Rule]) -> Any:
    """Return what can be compared: no order but that of CORS rules has a meaning."""
    plain = [{name: _unordered(value) for name, value in rule.items()} for rule in rules]
    return plain if kind == "cors" else sorted(plain, key=lambda rule: str(rule.get("ID")))


def _unordered(value: Any) -> Any:
    return sorted(value, key=str) if isinstance(value, list) else value


def _lines(document: Mapping[str, Any] | None) -> list[str]:
    if document is None:
        return []
    return json.dumps(document, indent=2, sort_keys=True).splitlines()
