# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The comparison: rows, files, versions, quota, objects, and what the clients were told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Hashable, Iterator
from dataclasses import dataclass
from itertools import groupby, pairwise
from typing import Any

from .evidence import Evidence
from .ledger import Ledger, Told

OUR_CALLS = ("create", "urls", "complete", "abort")
_ENDED = ("aborted", "failed")


@dataclass(frozen=True, slots=True)
class Line:
    """One comparison: what was compared, a figure for each side, and every difference."""

    what: str
    left: int
    right: int
    differences: list[str]

    @property
    def equal(self) -> bool:
        """Whether there is no difference; equal counts alone prove nothing."""
        return not self.differences and self.left == self.right


def compare(evidence: Evidence, ledger: Ledger, died: Collection[str]) -> list[Line]:
    """Return all comparisons."""
    return [
        *_rows_files_and_objects(evidence, ledger),
        *_store_uploads(evidence),
        *_quota(evidence),
        *_heads(evidence),
        *_told(evidence, ledger),
        *_behaviour(ledger, died),
    ]


def _same(what: str, left: Collection[Hashable], right: Collection[Hashable]) -> Line:
    """Compare two collections, in which nothing may be twice."""
    differences = [f"only on the left: {one}" for one in sorted(map(str, set(left) - set(right)))]
    differences += [f"only on the right: {one}" for one in sorted(map(str, set(right) - set(left)))]
    for side in (left, right):
        differences += [f"twice: {one}" for one, number in Counter(side).items() if number > 1]
    return Line(what, len(left), len(right), differences)


def _none(what: str, differences: list[str]) -> Line:
    return Line(what, len(differences), 0, differences)


def _rows_files_and_objects(evidence: Evidence, ledger: Ledger) -> Iterator[Line]:
    completed = {row["uri"]: row for row in evidence.uploads if row["state"] == "completed"}
    readable = {file["uri"]: file for file in evidence.files if file["readable"]}
    rows, objects = list(completed), evidence.objects
    yield _none(
        "rows left in the middle = none",
        [
            f"{row['id']} {row['state']}"
            for row in evidence.uploads
            if row["state"] in ("completing", "aborting", "expired")
            or (row["state"] == "pending" and row["over"])
        ],
    )
    yield _same("rows completed = readable files", rows, list(readable))
    yield _same("rows completed = objects at the store", rows, list(objects))
    yield _none(
        "objects that no file knows = none",
        sorted(set(objects) - {file["uri"] for file in evidence.files}),
    )
    yield _same(
        "size and token of rows = of objects",
        [(uri, row["size"], row["token"]) for uri, row in completed.items()],
        [(uri, found.size, found.token) for uri, found in objects.items()],
    )
    yield _same(
        "size of rows completed = of their files",
        [(row["file"], row["size"]) for row in completed.values()],
        [(file["id"], file["size"]) for file in readable.values()],
    )
    known = {told.id: told for told in ledger.uploads}
    yield _same(
        "SHA-256 that clients sent = of objects",
        [(row["uri"], known[row["id"]].sha256) for row in completed.values() if row["id"] in known],
        [(uri, found.sha256) for uri, found in objects.items()],
    )
    removed = {told.id for told in ledger.uploads if told.deleted}
    yield _same(
        "rows completed, less what clients removed = versions",
        [(row["file"], row["version"]) for row in completed.values() if row["id"] not in removed],
        [
            (version["file"], version["id"])
            for version in evidence.versions
            if version["file"] in {row["file"] for row in completed.values()}
        ],
    )
    waiting = [row for row in evidence.uploads if row["state"] == "pending" and row["version"]]
    instances = {file["id"] for file in evidence.files}
    yield _same(
        # Without an instance: files-rest has removed it with its version.
        "pending assignments that have a file = files that cannot be read",
        [row["file"] for row in waiting if row["file"] in instances],
        [file["id"] for file in evidence.files if not file["readable"]],
    )


def _store_uploads(evidence: Evidence) -> Iterator[Line]:
    pending = [row for row in evidence.uploads if row["state"] == "pending"]
    opened = {(row["uri"], row["store_upload_id"]) for row in pending if row["store_upload_id"]}
    places = {row["uri"] for row in pending}
    # A repeated opening whose first answer was lost leaves one more in the place of a pending row,
    # which the sweep of orphans takes when the row has ended.
    spare = {found for found in evidence.multiparts - opened if found[0] in places}
    yield _same(
        "pending rows = uploads open at the store", list(opened), list(evidence.multiparts - spare)
    )


def _quota(evidence: Evidence) -> Iterator[Line]:
    sizes = {file["id"]: file["size"] for file in evidence.files}
    counted = Counter({bucket["id"]: 0 for bucket in evidence.buckets})
    for _, found in groupby(evidence.versions, lambda version: (version["bucket"], version["key"])):
        for version, following in pairwise([*found, None]):
            # files-rest takes a size off when it puts a delete marker over the version.
            covered = following is not None and following["file"] is None
            if version["file"] and not covered:
                counted[version["bucket"]] += sizes[version["file"]]
    for row in evidence.uploads:
        counted[row["bucket"]] += row["reserved"]
    for bucket in evidence.buckets:
        short = bucket["id"][:8]
        expected, size = counted[bucket["id"]], bucket["size"]
        wrong = [] if expected == size else [f"{size - expected:+} bytes in {bucket['id']}"]
        yield Line(
            f"bytes of bucket {short} = of its versions and reservations", size, expected, wrong
        )
    yield _none(
        "buckets over their quota = none",
        [
            f"{b['id']}: {b['size']} of {b['quota']}"
            for b in evidence.buckets
            if b["size"] > b["quota"]
        ],
    )
    yield _none(
        "ended rows that reserve bytes = none",
        [
            f"{row['id']} {row['state']} {row['reserved']}"
            for row in evidence.uploads
            if row["reserved"] and row["state"] not in ("pending", "completing")
        ],
    )


def _heads(evidence: Evidence) -> Iterator[Line]:
    newest, heads = [], []
    for place, found in groupby(
        evidence.versions, lambda version: (version["bucket"], version["key"])
    ):
        versions = list(found)
        newest.append((*place, versions[-1]["id"]))
        heads += [(*place, version["id"]) for version in versions if version["is_head"]]
    yield _same("newest versions = heads", newest, heads)


def _told(evidence: Evidence, ledger: Ledger) -> Iterator[Line]:
    rows = {row["id"]: row for row in evidence.uploads}
    told = ledger.uploads
    yield _none(
        "uploads that a client knows and no row = none", [t.id for t in told if t.id not in rows]
    )
    told = [t for t in told if t.id in rows]
    yield _same(
        "told 200 on complete = completed of these",
        [t.id for t in told if t.completed],
        [t.id for t in told if t.completed and rows[t.id]["state"] == "completed"],
    )
    yield _same(
        "told 204 on abort = ended of these",
        [t.id for t in told if t.aborted],
        [t.id for t in told if t.aborted and rows[t.id]["state"] in _ENDED],
    )
    yield _none(
        "uploads that ended before their time, and nobody wished it = none",
        [
            f"{describe(t, rows[t.id])}"
            for t in told
            if (rows[t.id]["state"] in _ENDED and t.may_end is None and rows[t.id]["early"])
            or (rows[t.id]["state"] == "failed" and not t.may_be_lost)
        ],
    )
    yield _none(
        "answers that contradict others = none",
        [f"{t.id} {note}" for t in told for note in t.notes]
        + [f"{t.id} told both" for t in told if t.completed and t.aborted],
    )


def _behaviour(ledger: Ledger, died: Collection[str]) -> Iterator[Line]:
    statuses = ledger.statuses
    yield _none(
        "answers 500 of our API = none",
        [
            f"{call}: {number}"
            for call in OUR_CALLS
            if (number := statuses.get(call, {}).get("500"))
        ],
    )
    yield _none("processes that ended by themselves = none", list(died))
    needed = ("kill: web", "kill: worker", "connections cut", "restart: broker")
    idle = [what for what in needed if not ledger.counts[what]]
    if not any(told.completed for told in ledger.uploads):
        idle.append("uploads completed")
    if not any(told.aborted for told in ledger.uploads):
        idle.append("uploads aborted")
    yield _none("things that did not happen at all = none", idle)


def describe(told: Told, row: dict[str, Any]) -> str:
    """Say what a client wanted and what became of it."""
    return f"{told.id} ({told.story}): {row['state']} {row['reason'] or ''}"
