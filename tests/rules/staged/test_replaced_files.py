# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A file that is replaced while it becomes parts: no two files are mixed."""

from __future__ import annotations

import pytest

from oarepo_s3.backends import ByteRange
from oarepo_s3.core.errors import MissingParts, StillCopying, StoreUnavailable
from oarepo_s3.services import complete_upload
from oarepo_s3.services.staged import ROUNDS
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import PART
from ..outcomes import is_published
from .conftest import A, B, put

pytestmark = pytest.mark.usefixtures("_no_older_uploads", "_role")


@pytest.fixture(params=["a store that looks at the ETag", "one that does not"])
def looks(request, monkeypatch):
    """Whether the store compares the ETag of what it copies (RGW 16.2 does not)."""
    if request.param == "one that does not":
        copy = StoredUpload.copy_staged
        monkeypatch.setattr(
            StoredUpload,
            "copy_staged",
            lambda stored, part, span, etag: copy(stored, part, span, None),
        )


def meanwhile(monkeypatch, number, what):
    """Let something happen before the copy with this number."""
    copy, copies = StoredUpload.copy_staged, []

    def copy_staged(stored, *args):
        copies.append(args)
        if len(copies) == number:
            what()
        return copy(stored, *args)

    monkeypatch.setattr(StoredUpload, "copy_staged", copy_staged)
    return copies


@pytest.mark.usefixtures("two_at_a_time")
def test_a_file_that_was_replaced_between_two_calls_is_copied_from_its_beginning(memory, granted):
    put(memory, granted, A)
    with pytest.raises(StillCopying):
        complete_upload(granted)
    old = granted.store_upload_id
    put(memory, granted, B)
    assert recover()["completed"] == 1
    assert is_published(memory, granted, B)
    assert old not in memory.uploads


def test_an_upload_that_copies_of_another_file_may_still_reach_is_exchanged(memory, granted):
    """None of them has come, but they may be on their way."""
    put(memory, granted, A)
    for _ in range(granted.num_parts):
        memory.fail("copy_part", StoreUnavailable(reason="down"))
    with pytest.raises(StoreUnavailable):
        complete_upload(granted)
    old = granted.store_upload_id
    put(memory, granted, B)
    complete_upload(granted)
    assert granted.store_upload_id != old
    assert is_published(memory, granted, B)


@pytest.mark.usefixtures("looks")
@pytest.mark.parametrize("number", [2, 6])
def test_a_file_that_is_replaced_while_it_is_copied_is_copied_again(
    memory, granted, monkeypatch, number
):
    key = StoredUpload.of(granted).form_key
    put(memory, granted, A)
    meanwhile(monkeypatch, number, lambda: memory.put_object(key, B))
    complete_upload(granted)
    assert is_published(memory, granted, B)


@pytest.mark.usefixtures("looks")
def test_a_file_that_is_replaced_all_the_time_is_copied_another_time(
    memory, granted, monkeypatch, app
):
    app.config["OAREPO_S3_SWEEP_THREADS"] = 1
    key = StoredUpload.of(granted).form_key
    put(memory, granted, A)
    copy, copies = StoredUpload.copy_staged, []

    def copy_staged(stored, *args):
        copies.append(args)
        memory.put_object(key, bytes([len(copies)]) * len(A))
        return copy(stored, *args)

    monkeypatch.setattr(StoredUpload, "copy_staged", copy_staged)
    with pytest.raises(StoreUnavailable, match="replaced"):
        complete_upload(granted)
    assert granted.state == "pending"
    assert len(copies) >= ROUNDS
    monkeypatch.undo()
    app.config["OAREPO_S3_SWEEP_THREADS"] = 8
    put(memory, granted, B)
    complete_upload(granted)
    assert is_published(memory, granted, B)
    assert memory.uploads == {}


def test_a_file_that_is_removed_while_it_is_copied_is_missing(memory, granted, monkeypatch):
    key = StoredUpload.of(granted).form_key
    put(memory, granted, A)
    meanwhile(monkeypatch, 3, lambda: memory.delete(key))
    with pytest.raises(MissingParts, match="6 of 6"):
        complete_upload(granted)
    put(memory, granted, B)
    complete_upload(granted)
    assert is_published(memory, granted, B)


def test_a_late_copy_of_another_file_by_another_caller_is_seen(memory, granted, monkeypatch):
    """At a store that does not look at the ETag: one caller has copied all, one is still at it."""
    put(memory, granted, A)
    all_parts, lists = StoredUpload.all_parts, []

    def listed(stored):
        lists.append(stored)
        if len(lists) == 2:
            memory.put_object(stored.form_key, B)
            stored.copy_staged(2, ByteRange(PART, 2 * PART - 1), None)
        return all_parts(stored)

    monkeypatch.setattr(StoredUpload, "all_parts", listed)
    complete_upload(granted)
    assert is_published(memory, granted, B)
