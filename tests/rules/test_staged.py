# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A large file that came in one piece: how it becomes parts, and that no two files are mixed."""

from __future__ import annotations

from contextlib import nullcontext, suppress
from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.backends import ByteRange
from oarepo_s3.core.errors import (
    MissingParts,
    StillCopying,
    StoreUnavailable,
    StoreUploadGone,
    UploadLost,
    UploadNotPending,
)
from oarepo_s3.core.states import UploadState
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import (
    abort_upload,
    complete_upload,
    get_upload,
    grant_upload,
    open_form,
    sign_parts,
    sweep_expired,
    uploaded_parts,
)
from oarepo_s3.services.forms import SLOWEST_FORM
from oarepo_s3.services.staged import ROUNDS
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from .conftest import PART, send
from .outcomes import size_of

A, B = (letter * (5 * PART + 7) for letter in (b"a", b"b"))
"""Two files of six parts."""

pytestmark = pytest.mark.usefixtures("_no_older_uploads", "_role")


@pytest.fixture
def _role(app):
    app.config["OAREPO_S3_UPLOAD_ROLE"] = "arn:aws:iam:::role/uploader"
    yield
    app.config["OAREPO_S3_UPLOAD_ROLE"] = None


@pytest.fixture
def two_at_a_time(app):
    """Copy few parts at a time, and have no patience."""
    before = app.config["OAREPO_S3_SWEEP_THREADS"], app.config["OAREPO_S3_COMPLETE_TIMEOUT"]
    app.config["OAREPO_S3_SWEEP_THREADS"], app.config["OAREPO_S3_COMPLETE_TIMEOUT"] = 2, 0
    yield
    app.config["OAREPO_S3_SWEEP_THREADS"], app.config["OAREPO_S3_COMPLETE_TIMEOUT"] = before


@pytest.fixture
def granted(memory, begin):
    """Open an upload of six parts, with keys."""
    upload = begin(size=len(A))
    grant_upload(upload, user_id=None)
    return upload


def put(memory, upload, content):
    """Do what a tool with the keys does."""
    memory.put_object(StoredUpload.of(upload).form_key, content)


def is_published(memory, upload, content):
    stored = StoredUpload.of(upload)
    return upload.state == "completed" and memory.read(stored.key) == content


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


def test_all_parts_that_were_sent_win(memory, granted):
    put(memory, granted, A)
    send(memory, granted, B)
    complete_upload(granted)
    assert is_published(memory, granted, B)
    assert "copy_part" not in memory.calls


def test_a_whole_file_wins_over_some_parts(memory, granted):
    old = granted.store_upload_id
    put(memory, granted, A)
    send(memory, granted, B, parts=[1, 2, 5])
    complete_upload(granted)
    assert is_published(memory, granted, A)
    assert old not in memory.uploads


def test_parts_can_be_sent_until_the_file_has_come(memory, granted):
    send(memory, granted, A, parts=[1, 2])
    with pytest.raises(MissingParts, match="4 of 6"):
        complete_upload(granted)
    send(memory, granted, A, parts=[3, 4, 5, 6])
    complete_upload(granted)
    assert is_published(memory, granted, A)


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


@pytest.mark.parametrize("fresh", [False, True], ids=["by an old URL", "by a new URL"])
def test_a_part_that_is_sent_while_the_file_is_copied_is_not_mixed_with_it(
    memory, granted, monkeypatch, fresh
):
    url = sign_parts(granted, [1])[0].url
    put(memory, granted, A)
    all_parts, lists = StoredUpload.all_parts, []

    def listed(stored):
        lists.append(stored)
        if len(lists) == 2:
            with suppress(StoreUnavailable, StoreUploadGone):
                memory.put_part(sign_parts(granted, [1])[0].url if fresh else url, B[:PART])
            db.session.commit()
        return all_parts(stored)

    monkeypatch.setattr(StoredUpload, "all_parts", listed)
    complete_upload(granted)
    assert is_published(memory, granted, A)


@pytest.mark.usefixtures("two_at_a_time")
def test_parts_can_be_sent_again_when_the_file_is_gone(memory, granted):
    put(memory, granted, A)
    with pytest.raises(StillCopying):
        complete_upload(granted)
    with pytest.raises(StoreUnavailable, match="temporary keys"):
        sign_parts(granted, [1])
    put(memory, granted, A[:-1])
    with pytest.raises(MissingParts, match="6 of 6"):
        complete_upload(granted)
    send(memory, granted, B)
    complete_upload(granted)
    assert is_published(memory, granted, B)
    assert memory.uploads == {}


def other_caller(upload, monkeypatch, name, *, call=1):
    """Let somebody else complete the upload when one of the store's methods is called."""
    method, calls = getattr(StoredUpload, name), []

    def called(stored, *args):
        calls.append(args)
        if len(calls) == call:
            complete_upload(db.session.get(Upload, upload.id))
        return method(stored, *args)

    monkeypatch.setattr(StoredUpload, name, called)


@pytest.mark.parametrize(("name", "call"), [("staged", 1), ("staged", 2), ("all_parts", 2)])
def test_of_two_callers_the_second_finds_what_the_first_made(
    memory, granted, monkeypatch, name, call
):
    put(memory, granted, A)
    other_caller(granted, monkeypatch, name, call=call)
    assert complete_upload(granted).state == "completed"
    assert is_published(memory, granted, A)
    assert memory.uploads == {}


def test_of_two_callers_one_opens_another_upload_and_none_is_left(memory, granted, monkeypatch):
    """Some parts were sent, so both want an empty upload for their copies."""
    put(memory, granted, A)
    send(memory, granted, B, parts=[2])
    other_caller(granted, monkeypatch, "open")
    assert complete_upload(granted).state == "completed"
    assert is_published(memory, granted, A)
    assert memory.uploads == {}


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


def test_who_asks_for_parts_while_another_upload_takes_its_place_ends_nothing(
    memory, granted, monkeypatch
):
    put(memory, granted, A)
    send(memory, granted, B, parts=[2])
    page = StoredUpload.parts_after

    def exchanged_first(stored, *args):
        monkeypatch.undo()
        memory.fail("complete_upload", StoreUnavailable(reason="down"))
        with pytest.raises(StoreUnavailable):
            complete_upload(db.session.get(Upload, granted.id))
        return page(stored, *args)

    monkeypatch.setattr(StoredUpload, "parts_after", exchanged_first)
    with pytest.raises(StoreUnavailable, match="just being completed"):
        uploaded_parts(granted, after=0, limit=10)
    assert granted.state == "completing"
    assert complete_upload(granted).state == "completed"
    assert is_published(memory, granted, A)


def test_what_the_store_has_lost_is_lost(memory, granted):
    put(memory, granted, A)
    memory.abort_upload(StoredUpload.of(granted).key, granted.store_upload_id)
    with pytest.raises(UploadLost):
        complete_upload(granted)
    assert granted.state == "failed"


def test_an_abort_while_the_file_is_copied_leaves_nothing(memory, bucket, granted, monkeypatch):
    put(memory, granted, A)
    send(memory, granted, B, parts=[2])
    opened = StoredUpload.open

    def aborted_first(stored):
        monkeypatch.undo()
        abort_upload(db.session.get(Upload, granted.id))
        return opened(stored)

    monkeypatch.setattr(StoredUpload, "open", aborted_first)
    with pytest.raises(UploadNotPending):
        complete_upload(granted)
    assert (granted.state, size_of(bucket)) == ("aborted", 0)
    assert memory.uploads == {}


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
    db.session.execute(db.update(Upload).values(form_until=utcnow() - SLOWEST_FORM))
    db.session.commit()
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
