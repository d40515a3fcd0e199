# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which objects are a scope's: those below its prefix that are not Invenio's own."""

from __future__ import annotations

import pytest
from invenio_db import db
from invenio_files_rest.models import Location, ObjectVersion

from oarepo_s3.core.errors import ScopeNotFound, ScopeTaken, StoreMisconfigured
from oarepo_s3.models import Scope
from oarepo_s3.services import NewScope, complete_upload, create_scope, sync_scope
from oarepo_s3.services.context import UploadContext

from .reports import NAME, PREFIX, changes, heads, synced


def test_what_lies_beside_the_prefix_is_not_taken(target, put):
    put("a", prefix="user/dataset/")
    put("b", prefix="other/")
    put("c")
    assert changes() == ["new c 7"]


def test_a_place_that_was_never_synced_becomes_a_scope_with_a_bucket(location, put):
    put("a", prefix="out side/")
    put("x", prefix="")
    dry = sync_scope("default:out side", dry_run=True)
    assert (dry.added, dry.bucket, Scope.query.count()) == (1, None, 0)
    counts = sync_scope("default:out side/")
    assert (counts.scope, counts.added) == ("default:out side", 1)
    assert heads(counts.bucket) == {"a": 7}
    assert sync_scope("default:out side").bucket == counts.bucket
    with pytest.raises(ScopeTaken):
        sync_scope("default")


def test_a_scope_is_found_by_its_place_too(scope):
    assert sync_scope(f"default:{PREFIX}").scope == NAME


def test_of_a_whole_location_invenios_own_objects_are_left_out(memory, location, put, begin):
    upload = begin(content=b"uploaded")
    complete_upload(upload)
    under_way = "ab/cd/0123-4567-4567-89ab-0123456789ab/data-0123456789abcdef"
    put(under_way, prefix="")
    put("oarepo-s3-forms/x", prefix="")
    put("ab/else", prefix="")
    counts = sync_scope("default")
    assert (counts.added, counts.known) == (1, 3)
    assert list(heads(counts.bucket)) == ["ab/else"]
    assert ObjectVersion.get(upload.bucket_id, "a").file.uri == upload.uri
    assert synced("default", delete=True) == {"known": 3, "unchanged": 1}


@pytest.mark.parametrize("path", ["out", "out/x"])
def test_so_are_those_of_a_location_that_was_made_in_a_scope(location, put, path):
    create_scope(NewScope("user:out", "default", prefix="out"))
    other = Location(name="other", uri=f"memory://rules/{path}")
    db.session.add(other)
    db.session.commit()
    own = f"{path}/ab/cd/0123-4567-4567-89ab-0123456789ab/data-0123456789abcdef"
    try:
        for key in (own, f"{path}/oarepo-s3-forms/x", f"{path}/ab/else"):
            put(key, prefix="")
        counts = sync_scope("user:out")
        assert (counts.added, counts.known) == (1, 2)
        assert list(heads(counts.bucket)) == [f"{path}/ab/else".removeprefix("out/")]
    finally:
        db.session.delete(other)
        db.session.commit()


@pytest.mark.parametrize("name", ["user:other", "nowhere", "nowhere:prefix", "", "a\x00b"])
def test_what_is_no_scope_and_no_location_is_refused(location, name):
    with pytest.raises(ScopeNotFound):
        sync_scope(name)


def test_a_store_that_does_not_list_is_named(target, monkeypatch):
    monkeypatch.setattr(UploadContext, "store", lambda context, uri: object())
    with pytest.raises(StoreMisconfigured):
        sync_scope(NAME)
