# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The soak's comparison: whatever is not as it should be is seen, by the line that is for it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.soak.compare import compare
from tests.soak.evidence import Evidence, Object
from tests.soak.ledger import Ledger, Told

ENDED = "uploads that ended before their time, and nobody wished it = none"


def row(name, state, **more):
    """Return a row of an upload."""
    return {
        "id": name,
        "state": state,
        "bucket": "bucket",
        "key": "a",
        "file": f"{name} file",
        "version": None,
        "size": 3,
        "reserved": 0,
        "uri": f"s3://soak/{name}",
        "store_upload_id": "1",
        "token": f"{name} token",
        "reason": None,
        "over": False,
        "early": True,
        **more,
    }


def good():
    """Return a completed, an aborted and a pending upload, and what belongs to them."""
    return Evidence(
        uploads=[
            row("done", "completed", version="v1"),
            row("gone", "aborted"),
            row("open", "pending", reserved=3),
            row("assigned", "pending", version="v2", key="b"),
        ],
        files=[
            {"id": "done file", "uri": "s3://soak/done", "size": 3, "readable": True},
            {"id": "assigned file", "uri": "s3://soak/assigned", "size": 3, "readable": False},
        ],
        versions=[
            {"id": "v1", "bucket": "bucket", "key": "a", "file": "done file", "is_head": True},
            {"id": "v2", "bucket": "bucket", "key": "b", "file": "assigned file", "is_head": True},
        ],
        buckets=[{"id": "bucket", "size": 9, "quota": 10}],
        objects={"s3://soak/done": Object(3, "done token", "abc")},
        multiparts={("s3://soak/open", "1"), ("s3://soak/assigned", "1"), ("s3://soak/open", "2")},
    )


def told():
    """Return what the clients were told of it."""
    ledger = Ledger()
    ledger.add(Told("done", "whole", "bucket", "a", 3, "abc", completed=True))
    ledger.add(Told("gone", "aborted", "bucket", "a", 3, "abc", aborted=True, may_end="wished"))
    ledger.add(Told("open", "given up", "bucket", "a", 3, "abc"))
    ledger.statuses["complete"] = Counter({"200": 1, "503": 7})
    for what in ("kill: web", "kill: worker", "connections cut", "restart: broker"):
        ledger.count(what)
    return ledger


def unequal(evidence, ledger, died=()):
    """Return what the comparison complains of."""
    return {line.what for line in compare(evidence, ledger, died) if not line.equal}


def test_what_is_equal_is_equal():
    assert unequal(good(), told()) == set()


def change(field, index, **values):
    """Return a change of one row."""

    def do(evidence, ledger):
        getattr(evidence, field)[index].update(values)

    return do


@pytest.mark.parametrize(
    ("damage", "seen_by"),
    [
        (change("uploads", 2, state="completing"), "rows left in the middle = none"),
        (change("uploads", 2, over=True), "rows left in the middle = none"),
        (change("files", 0, readable=False), "rows completed = readable files"),
        (lambda e, t: e.objects.clear(), "rows completed = objects at the store"),
        (
            lambda e, t: e.objects.update({"s3://soak/x": Object(3, "x", "abc")}),
            "objects that no file knows = none",
        ),
        (change("uploads", 0, token="x"), "size and token of rows = of objects"),
        (change("files", 0, size=4), "size of rows completed = of their files"),
        (
            lambda e, t: e.objects.update({"s3://soak/done": Object(3, "done token", "abd")}),
            "SHA-256 that clients sent = of objects",
        ),
        (
            change("versions", 0, file="assigned file"),
            "rows completed, less what clients removed = versions",
        ),
        (
            change("uploads", 3, state="aborted"),
            "pending assignments that have a file = files that cannot be read",
        ),
        (
            lambda e, t: e.multiparts.add(("s3://soak/gone", "1")),
            "pending rows = uploads open at the store",
        ),
        (
            lambda e, t: e.multiparts.discard(("s3://soak/open", "1")),
            "pending rows = uploads open at the store",
        ),
        (change("buckets", 0, size=8), "bytes of bucket bucket = of its versions and reservations"),
        (change("buckets", 0, quota=8), "buckets over their quota = none"),
        (change("uploads", 1, reserved=1), "ended rows that reserve bytes = none"),
        (change("versions", 0, is_head=False), "newest versions = heads"),
        (
            lambda e, t: t.add(Told("lost", "whole", "bucket", "a", 3, "abc")),
            "uploads that a client knows and no row = none",
        ),
        (change("uploads", 0, state="aborted"), "told 200 on complete = completed of these"),
        (change("uploads", 1, state="completed"), "told 204 on abort = ended of these"),
        (change("uploads", 2, state="failed"), ENDED),
        (change("uploads", 1, state="failed"), ENDED),
        (
            lambda e, t: setattr(t.uploads[0], "aborted", True),
            "answers that contradict others = none",
        ),
        (lambda e, t: t.answered("complete", 500, 1), "answers 500 of our API = none"),
        (lambda e, t: t.counts.clear(), "things that did not happen at all = none"),
    ],
)
def test_what_is_not_is_seen(damage, seen_by):
    evidence, ledger = good(), told()
    damage(evidence, ledger)
    assert seen_by in unequal(evidence, ledger)


def test_a_process_that_ended_by_itself_is_seen():
    assert unequal(good(), told(), ["web1"]) == {"processes that ended by themselves = none"}


def test_a_version_under_a_delete_marker_counts_no_more():
    evidence = good()
    evidence.versions[0]["is_head"] = False
    marker = {"id": "v3", "bucket": "bucket", "key": "a", "file": None, "is_head": True}
    evidence.versions.insert(1, marker)
    smaller = replace(evidence, buckets=[{"id": "bucket", "size": 6, "quota": 10}])
    assert unequal(smaller, told()) == set()
