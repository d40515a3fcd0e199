# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Our rules among those that a bucket has already: others stay, and the second time is the first.

Stores give rules back in another order and another form than they took them, so what is compared is
what the rules mean. What they give back may mean something else when it is written as it was read;
and a lifecycle rule that is for too much removes what is somebody's. So rules are brought into one
form, and read again after they were written.
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


class OthersChanged(Exception):
    """The store has made something else of rules of others, which were to stay.

    :ivar rules: as they were.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = list(rules)
        super().__init__(
            "The store has made something else of rules that are not ours. Put them back at once,"
            f" by the store's own tools; they were: {json.dumps(self.rules)}"
        )


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
    there = _rules(kind, before)
    mine = [dict(rule) for rule in ours[member]]
    # Ceph takes the first CORS rule whose origin fits.
    after = [*mine, *_others(there, mine)] if kind == "cors" else [*_others(there, mine), *mine]
    return Change(
        kind,
        {**before, member: there} if before else None,
        {**(before or {}), member: after},
        needed=_meaning(kind, there) != _meaning(kind, after),
    )


def plan_switches(store: AdministersBucket, kind: Document, ours: Mapping[str, bool]) -> Change:
    """Read the switches of a bucket, and turn on those that shall be on; none is turned off."""
    before = store.read_document(kind)
    after = {name: on or bool((before or {}).get(name)) for name, on in ours.items()}
    return Change(kind, before, after, needed=before != after)


def apply_change(store: AdministersBucket, change: Change) -> None:
    """Write a document, unless it is already as it shall be, and see that rules of others stayed.

    :raises OthersChanged: when one of them means something else now, or is gone.
    """
    if not change.needed:
        return
    store.write_document(change.kind, change.after)
    if change.kind in _MEMBER:
        _see_that_others_stayed(store, change)


def _see_that_others_stayed(store: AdministersBucket, change: Change) -> None:
    """Compare the rules that were there and were to stay with those that are there now."""
    wanted, member = change.after, _MEMBER[change.kind]
    before = (change.before or {}).get(member, ())
    now = [_effect(rule) for rule in _rules(change.kind, store.read_document(change.kind))]
    changed = [rule for rule in before if rule in wanted[member] and _effect(rule) not in now]
    if changed:
        raise OthersChanged(changed)


def _others(there: Sequence[Rule], mine: Sequence[Rule]) -> list[Rule]:
    ids = {rule["ID"] for rule in mine}
    return [rule for rule in there if rule.get("ID") not in ids]


def _rules(kind: Document, document: Mapping[str, Any] | None) -> list[Rule]:
    found = (document or {}).get(_MEMBER[kind], ())
    return [dict(rule) if kind == "cors" else _modern(rule) for rule in found]


def _modern(rule: Mapping[str, Any]) -> Rule:
    """Return a lifecycle rule in the form of today, in which every store reads it alike.

    A prefix of its own is the older form, in which Ceph answers, and AWS refuses both forms in one
    document.
    """
    found = dict(rule)
    older = {"Prefix": found.pop("Prefix")} if "Prefix" in found else {}
    found["Filter"] = _filter({**older, **found.get("Filter", {})})
    return found


def _filter(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return a lifecycle rule's filter with all that has to hold in ``And``, where that is more
    than one thing.

    Ceph 16.2 answers with a prefix beside ``And`` or beside ``Tag``. Of the first it does not look
    at the prefix when it is written like this, and the rule would be for the whole bucket
    (measured); the second is what the S3 API does not have.
    """
    every = {**chosen, **chosen.get("And", {})}
    every.pop("And", None)
    tags = [*every.pop("Tags", ()), *([every.pop("Tag")] if "Tag" in every else ())]
    prefix = every.pop("Prefix", "")
    if prefix:
        every["Prefix"] = prefix
    if len(every) + len(tags) > 1:
        return {"And": {**every, **({"Tags": tags} if tags else {})}}
    if tags:
        return {"Tag": tags[0]}
    return every or {"Prefix": ""}


def _meaning(kind: Document, rules: Sequence[Rule]) -> Any:
    """Return what can be compared: no order but that of CORS rules has a meaning."""
    plain = [_unordered(rule) for rule in rules]
    return plain if kind == "cors" else sorted(plain, key=lambda rule: str(rule.get("ID")))


def _effect(rule: Rule) -> Any:
    """Return what a rule does, whatever its ID: stores name those that have none."""
    return _unordered({name: value for name, value in rule.items() if name != "ID"})


def _unordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _unordered(each) for name, each in value.items()}
    if isinstance(value, list):
        return sorted((_unordered(each) for each in value), key=_sortable)
    return value


def _sortable(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _lines(document: Mapping[str, Any] | None) -> list[str]:
    if document is None:
        return []
    return json.dumps(document, indent=2, sort_keys=True).splitlines()
