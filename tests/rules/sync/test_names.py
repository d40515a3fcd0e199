# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which names become files, and the order in which they have to come."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.core.errors import StoreFault
from oarepo_s3.services import sync as sync_module
from oarepo_s3.services import sync_scope

from .reports import NAME, ON_POSTGRES, PREFIX, heads, synced

LONG = "x" * 250

UNFIT = {
    "folder/": "it is a folder",
    "": "it is a folder",
    "slash/": "its name ends in a slash",
    "tab\t": "it has control characters",
    "line\n": "it has control characters",
    "/root": "it cannot be a part of an address",
    "..": "it cannot be a part of an address",
    "bytes\ufffd": "its name is not UTF-8",
    LONG: "its URI has 275 characters, 255 are possible",
}


def test_keys_that_no_file_can_have_are_reported_and_skipped(target, put):
    for key in UNFIT:
        put(key, b"" if UNFIT[key] == "it is a folder" else b"content")
    put("fit")
    told = []
    counts = sync_scope(NAME, report=told.append)
    assert {change.key: change.reason for change in told if change.kind == "skipped"} == UNFIT
    assert (counts.added, counts.skipped) == (1, len(UNFIT))


@pytest.mark.parametrize("etag", ["", " ", "a:b", "a" * 251])
def test_an_etag_that_no_checksum_can_hold_is_a_reason_too(memory, target, put, monkeypatch, etag):
    put("a")
    sync_scope(NAME)
    listed = [replace(found, etag=etag) for found in memory.list_objects(f"{PREFIX}/")]
    monkeypatch.setattr(type(memory), "list_objects", lambda *args: iter(listed))
    # It is there, so it is not gone either.
    assert synced(delete=True) == {"skipped": 1}
    assert heads(target.id) == {"a": 7}


def test_names_of_all_kinds_are_kept_in_the_order_of_their_bytes(target, put, monkeypatch):
    monkeypatch.setattr(sync_module, "PAGE", 3)
    names = [
        "a",
        "B",
        "a b",
        "a+b",
        "a%20b",
        "ä",
        "z",
        "č ř",
        "\uffee",
        "😀",
        "A/b",
        "A-b",
        "a.b",
        "_",
    ]
    for name in names:
        put(name)
    assert synced() == {"added": len(names)}
    assert synced(delete=True) == {"unchanged": len(names)}
    assert set(heads(target.id)) == set(names)


@ON_POSTGRES
def test_the_order_is_that_of_bytes_where_the_database_has_another_one(target, put):
    collate = 'ALTER TABLE files_object ALTER COLUMN key TYPE text COLLATE "{}"'
    db.session.execute(sa.text(collate.format("en-x-icu")))
    db.session.commit()
    try:
        for name in ("a", "B", "c", "D", "ä", "a b", "a-b", "a/b"):
            put(name)
        assert synced() == {"added": 8}
        assert synced(delete=True) == {"unchanged": 8}
    finally:
        db.session.rollback()
        db.session.execute(sa.text(collate.format("default")))
        db.session.commit()


@pytest.mark.parametrize("page", [500, 1])
def test_a_store_with_another_order_is_not_believed(memory, target, put, monkeypatch, page):
    monkeypatch.setattr(sync_module, "PAGE", page)
    put("a")
    put("b")
    sync_scope(NAME)
    listed = list(memory.list_objects(f"{PREFIX}/"))
    monkeypatch.setattr(type(memory), "list_objects", lambda *args: iter(listed[::-1]))
    with pytest.raises(StoreFault):
        sync_scope(NAME, delete=True)
    assert heads(target.id) == {"a": 7, "b": 7}
    assert ObjectVersion.get(target, "a").file.readable
