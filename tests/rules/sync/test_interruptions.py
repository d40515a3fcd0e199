# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Syncs that stop in the middle, run at once or are one of many."""

from __future__ import annotations

import logging
from threading import Barrier, Thread

import pytest
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion

from oarepo_s3.core.errors import ScopeNotFound, StoreUnavailable
from oarepo_s3.services import NewScope, create_scope, external, sync_scope
from oarepo_s3.services import sync as sync_module
from oarepo_s3.tasks import sync_scopes

from ..outcomes import size_of
from .reports import NAME, ON_POSTGRES, PREFIX, heads, synced


def test_what_a_sync_had_written_before_it_stopped_stands_and_the_next_goes_on(
    memory, target, put, monkeypatch
):
    monkeypatch.setattr(sync_module, "PAGE", 2)
    for key in "abcde":
        put(key)
    write, pages = external.write, []

    def dies(*args):
        if pages:
            raise KeyboardInterrupt
        pages.append(args)
        return write(*args)

    monkeypatch.setattr(sync_module, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        sync_scope(NAME)
    assert list(heads(target.id)) == ["a", "b"]
    assert size_of(target) == 14
    monkeypatch.setattr(sync_module, "write", write)
    assert synced() == {"added": 3, "unchanged": 2}


def test_an_older_list_does_not_undo_what_another_sync_has_written(
    memory, target, put, monkeypatch
):
    put("a", b"old")
    put("b", b"b")
    sync_scope(NAME)
    put("a", b"listed first")
    listed = list(memory.list_objects(f"{PREFIX}/"))
    original = type(memory).list_objects

    def overtaken(store, prefix):
        monkeypatch.setattr(type(memory), "list_objects", original)
        put("a", b"listed later")
        memory.delete(f"{PREFIX}/b")
        put("c", b"c")
        sync_scope(NAME, delete=True)
        yield from listed

    monkeypatch.setattr(type(memory), "list_objects", overtaken)
    assert synced(delete=True) == {"known": 1, "unchanged": 1}
    assert heads(target.id) == {"a": 12, "b": None, "c": 1}


@ON_POSTGRES
def test_two_syncs_at_once_make_no_doubles(app, memory, target, put, monkeypatch):
    monkeypatch.setattr(sync_module, "PAGE", 10)
    for number in range(100):
        put(f"{number:03}", b"1234")
    barrier, results = Barrier(3), []
    db.session.commit()

    def run():
        with app.app_context():
            barrier.wait()
            results.append(sync_scope(NAME))
            db.session.remove()

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts.added for counts in results) == 100
    assert sum(counts.unchanged + counts.known for counts in results) == 200
    assert ObjectVersion.query.count() == FileInstance.query.count() == 100
    assert size_of(target) == 400


def test_the_task_goes_on_after_a_scope_that_fails(memory, scope, put, caplog):
    put("a")
    put("b", prefix="x/")
    create_scope(NewScope("user:x", "default", "x"))
    memory.fail("list_objects", StoreUnavailable(reason="away"))
    with caplog.at_level(logging.INFO):
        totals = sync_scopes()
    assert totals["failed"] == [NAME]
    assert (totals["scopes"], totals["added"]) == (1, 1)
    actions = {record.action for record in caplog.records if hasattr(record, "action")}
    assert {"sync_failed", "sync_done"} <= actions
    done = next(record for record in caplog.records if record.action == "sync_done")
    assert (done.scope, done.added) == ("user:x", 1)
    assert sync_scopes() == {**totals, "scopes": 2, "unchanged": 1, "failed": []}
    assert sync_scopes(NAME)["scopes"] == 1
    with pytest.raises(ScopeNotFound):
        sync_scopes("user:none")


def test_the_task_goes_on_after_whatever_is_raised(scope, put, monkeypatch):
    put("b", prefix="x/")
    create_scope(NewScope("user:x", "default", "x"))
    monkeypatch.setattr(external, "lock_bucket", lambda bucket_id: 1 / 0)
    assert sync_scopes()["failed"] == ["user:x"]
