# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What others put into a scope becomes versions: each once, and without a byte being read."""

from __future__ import annotations

from invenio_db import db
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.services import get_scope, sync_scope
from oarepo_s3.services import sync as sync_module
from oarepo_s3.services.external import EXTERNAL_TAG

from ..outcomes import size_of
from .reports import NAME, PREFIX, changes, heads, sum_of_versions, synced


def test_an_object_becomes_a_version_that_is_marked(memory, scope, target, put):
    put("a/b.txt", b"12345")
    assert synced() == {"added": 1}
    version = ObjectVersion.get(target, "a/b.txt")
    file = version.file
    assert file.uri == f"memory://rules/{PREFIX}/a/b.txt"
    assert (file.size, file.readable, file.writable) == (5, True, False)
    assert file.checksum == f"etag:{memory.head(f'{PREFIX}/a/b.txt').etag}"
    assert file.storage_class == target.default_storage_class
    assert version.get_tags().keys() == {EXTERNAL_TAG}
    assert version.get_tags()[EXTERNAL_TAG].endswith("Z")
    assert version.mimetype == "text/plain"
    assert get_scope(NAME).synced_at is not None


def test_a_changed_object_becomes_a_new_version_and_the_old_one_has_no_bytes(target, put):
    put("a", b"old")
    sync_scope(NAME)
    old = ObjectVersion.get(target, "a").file
    checksum = old.checksum
    put("a", b"newer")
    assert changes() == ["changed a 5"]
    versions = ObjectVersion.get_versions(target, "a").all()
    assert [version.is_head for version in versions] == [True, False]
    assert versions[0].file.uri.endswith("/a")
    assert (old.uri, old.readable, old.size, old.checksum) == (None, False, 3, checksum)
    assert size_of(target) == sum_of_versions(target.id) == 8


def test_what_is_gone_gets_a_delete_marker_on_demand_alone(memory, target, put):
    put("a")
    put("b")
    sync_scope(NAME)
    memory.delete(f"{PREFIX}/a")
    assert changes() == ["gone a 7"]
    assert synced() == {"gone": 1, "unchanged": 1}
    assert heads(target.id) == {"a": 7, "b": 7}
    assert synced(delete=True) == {"deleted": 1, "unchanged": 1}
    assert heads(target.id) == {"a": None, "b": 7}
    assert size_of(target) == 7
    covered = ObjectVersion.get_versions(target, "a").all()[1].file
    assert (covered.uri, covered.readable) == (None, False)
    assert synced(delete=True) == {"unchanged": 1}
    put("a")
    assert synced(delete=True) == {"added": 1, "unchanged": 1}
    assert heads(target.id) == {"a": 7, "b": 7}


def test_a_second_run_writes_nothing_but_its_time(memory, target, put, statements):
    for number in range(30):
        put(f"{number}")
    put("folder/", b"")
    ObjectVersion.create(target, "deleted")
    db.session.commit()
    put("deleted")
    sync_scope(NAME)
    ObjectVersion.delete(target, "deleted")
    db.session.commit()
    statements.clear()
    assert synced() == {"unchanged": 30, "known": 1, "skipped": 1}
    written = [each for each in statements if not each.lstrip().startswith("SELECT")]
    written = [each for each in written if not each.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
    assert [each.split()[:2] for each in written] == [["UPDATE", "oarepo_s3_scope"]]


def test_the_store_is_asked_for_a_list_alone_and_no_transaction_is_open_then(
    memory, target, put, monkeypatch
):
    for key in ("a", "aa", "b"):
        put(key)
    sync_scope(NAME)
    ObjectVersion.delete(target, "aa")
    db.session.commit()
    put("b", b"other")
    put("c")
    memory.delete(f"{PREFIX}/a")
    memory.calls.clear()
    listed, open_ones = type(memory).list_objects, []

    def watched(store, prefix, **more):
        for found in listed(store, prefix, **more):
            open_ones.append(db.session.registry().in_transaction())
            yield found
        open_ones.append(db.session.registry().in_transaction())

    monkeypatch.setattr(type(memory), "list_objects", watched)
    monkeypatch.setattr(sync_module, "PAGE", 1)
    assert synced(delete=True) == {"added": 1, "changed": 1, "deleted": 1, "known": 1}
    assert memory.calls == ["list_objects"]
    assert open_ones == [False] * 4


def test_a_dry_run_tells_the_difference_and_writes_nothing(memory, target, put, statements):
    put("a")
    put("b")
    sync_scope(NAME)
    memory.delete(f"{PREFIX}/a")
    put("b", b"other")
    put("c")
    put("d/", b"")
    statements.clear()
    told = changes(dry_run=True, delete=True)
    assert sorted(told) == ["changed b 5", "gone a 7", "new c 7", "skipped d/ 0"]
    assert {each.split()[0] for each in statements} <= {"SELECT", "BEGIN"}
    assert heads(target.id) == {"a": 7, "b": 7}
