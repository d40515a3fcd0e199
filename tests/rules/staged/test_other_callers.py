# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Several callers complete, abort or look at one upload while its file becomes parts."""

from __future__ import annotations

import pytest
from invenio_db import db

from oarepo_s3.core.errors import StoreUnavailable, UploadNotPending
from oarepo_s3.models import Upload
from oarepo_s3.services import abort_upload, complete_upload, uploaded_parts
from oarepo_s3.services.stored import StoredUpload

from ..conftest import send
from ..outcomes import is_published, size_of
from .conftest import A, B, put

pytestmark = pytest.mark.usefixtures("_no_older_uploads", "_role")


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
