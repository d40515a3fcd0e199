# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A large file that came in one piece: how it becomes parts, and what is left of it."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.core.errors import (
    MissingParts,
    StillCopying,
    StoreUnavailable,
    UploadLost,
    UploadNotPending,
)
from oarepo_s3.core.states import UploadState
from oarepo_s3.core.times import utcnow
from oarepo_s3.services import (
    complete_upload,
    get_upload,
    grant_upload,
    open_form,
    sweep_expired,
    uploaded_parts,
)
from oarepo_s3.services.forms import SLOWEST_FORM
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import age, send
from ..outcomes import is_published, size_of
from .conftest import A, B, put

pytestmark = pytest.mark.usefixtures("_no_older_uploads", "_role")


def test_a_file_that_came_by_keys_is_completed_as_any_other(memory, bucket, granted):
    put(memory, granted, A)
    complete_upload(granted)
    assert is_published(memory, granted, A)
    assert size_of(bucket) == len(A)
    assert memory.head(StoredUpload.of(granted).form_key) is None
    assert memory.uploads == {}


@pytest.mark.parametrize("ended", [False, True], ids=["completed", "aborted meanwhile"])
def test_no_transaction_is_open_when_what_is_left_is_removed(memory, granted, monkeypatch, ended):
    seen = []

    def watch(name, what=lambda: None):
        method = getattr(StoredUpload, name)

        def called(stored):
            seen.append((name, db.session().in_transaction()))
            answer = method(stored)
            what()
            return answer

        monkeypatch.setattr(StoredUpload, name, called)

    def aborted():
        if ended and granted.state == "completing":
            granted.move(UploadState.ABORTING)
        db.session.commit()

    put(memory, granted, A)
    watch("head", aborted)
    watch("delete_own_object")
    watch("delete_form")
    with pytest.raises(UploadNotPending) if ended else nullcontext():
        complete_upload(granted)
    assert {name for name, _ in seen} >= {"head", "delete_own_object" if ended else "delete_form"}
    assert {is_open for _, is_open in seen} == {False}


def test_what_the_keys_write_after_the_completion_changes_nothing(memory, granted):
    put(memory, granted, A)
    complete_upload(granted)
    put(memory, granted, B)
    assert complete_upload(granted).state == "completed"
    assert is_published(memory, granted, A)


def test_without_the_file_all_parts_are_missing(memory, granted):
    with pytest.raises(MissingParts):
        complete_upload(granted)
    put(memory, granted, A[:-1])
    with pytest.raises(MissingParts):
        complete_upload(granted)
    assert granted.state == "pending"
    assert "copy_part" not in memory.calls


@pytest.mark.usefixtures("two_at_a_time")
def test_a_large_file_takes_several_calls_and_no_part_twice(memory, granted):
    put(memory, granted, A)
    for done in (2, 4):
        with pytest.raises(StillCopying, match=f"{done} of 6"):
            complete_upload(granted)
        assert granted.state == "pending"
        assert len(uploaded_parts(granted, after=0, limit=10).parts) == done
    complete_upload(granted)
    assert is_published(memory, granted, A)
    assert memory.calls.count("copy_part") == 6


@pytest.mark.usefixtures("two_at_a_time")
def test_the_recovery_finishes_what_a_client_leaves(memory, granted):
    put(memory, granted, A)
    with pytest.raises(StillCopying):
        complete_upload(granted)
    assert recover()["completed"] == 1
    assert is_published(memory, granted, A)
    assert memory.calls.count("copy_part") == 6


def test_a_failed_copy_is_the_next_calls_to_repeat(memory, granted):
    put(memory, granted, A)
    memory.fail("copy_part", StoreUnavailable(reason="down"))
    with pytest.raises(StoreUnavailable):
        complete_upload(granted)
    complete_upload(granted)
    assert is_published(memory, granted, A)
    assert memory.calls.count("copy_part") == 7


def test_what_the_store_has_lost_is_lost(memory, granted):
    put(memory, granted, A)
    memory.abort_upload(StoredUpload.of(granted).key, granted.store_upload_id)
    with pytest.raises(UploadLost):
        complete_upload(granted)
    assert granted.state == "failed"


def test_an_upload_that_cannot_be_dropped_stops_no_completion(memory, granted, caplog):
    put(memory, granted, A)
    send(memory, granted, B, parts=[2])
    memory.fail("abort_upload", StoreUnavailable(reason="down"))
    complete_upload(granted)
    assert is_published(memory, granted, A)
    assert [r.action for r in caplog.records if r.levelname == "WARNING"] == ["parts_left"]


def test_what_a_tool_did_not_finish_is_swept_with_the_rest(memory, granted):
    key = StoredUpload.of(granted).form_key
    memory.create_upload(key, content_type=None, metadata={})
    put(memory, granted, A)
    complete_upload(granted)
    put(memory, granted, B)
    age(form_until=utcnow() - SLOWEST_FORM)
    assert sweep_expired().failed == 0
    assert (memory.uploads, memory.head(key)) == ({}, None)
    upload = get_upload(granted.id)
    assert (upload.form_uri, upload.form_until) == (None, None)


def test_a_form_and_keys_share_one_place_until_the_later_of_both_ends(memory, begin):
    upload = begin(size=3)
    open_form(upload)
    of_form = upload.form_until
    grant_upload(upload, user_id=None, lifetime=900)
    assert upload.form_until == of_form
    upload = begin(size=4)
    ends = grant_upload(upload, user_id=None, lifetime=43_200).row.expires_at
    assert timedelta(0) <= ends - upload.form_until < timedelta(seconds=5)
    place = upload.form_uri
    open_form(upload)
    assert (upload.form_uri, upload.form_until > ends) == (place, True)
