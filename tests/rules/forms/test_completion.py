# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A file in one form: who completes it."""

from __future__ import annotations

import pytest
from invenio_db import db

from oarepo_s3.backends import Form
from oarepo_s3.core.errors import MissingParts
from oarepo_s3.models import Upload
from oarepo_s3.services import complete_upload, open_form
from oarepo_s3.services.stored import StoredUpload

from ..conftest import PART
from ..outcomes import is_published, size_of
from .conftest import CONTENT, form_key

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


@pytest.mark.parametrize("content", [CONTENT, b"", b"x" * (PART + 1)], ids=len)
def test_a_file_that_came_by_a_form_is_completed_as_any_other(memory, bucket, sent, content):
    upload = sent(content)
    complete_upload(upload)
    assert is_published(memory, upload, content)
    assert size_of(bucket) == len(content)
    assert memory.head(form_key(upload)) is None
    assert memory.head(StoredUpload.of(upload).key).metadata == {
        "oarepo-upload-token": upload.token
    }


def test_a_form_never_writes_to_the_final_place(memory, bucket, sent):
    upload = sent()
    key = form_key(upload)
    assert key != StoredUpload.of(upload).key
    assert key == f"oarepo-s3-forms/{upload.id}"
    assert memory.head(StoredUpload.of(upload).key) is None


def test_before_the_file_has_come_its_part_is_missing(pending):
    upload = pending()
    open_form(upload)
    with pytest.raises(MissingParts):
        complete_upload(upload)
    assert upload.state == "pending"


def test_a_part_that_was_sent_comes_before_what_a_form_has_sent(memory, sent):
    upload = sent()
    memory.put_part(f"memory://{upload.store_upload_id}#1", b"by its part!")
    complete_upload(upload)
    assert is_published(memory, upload, b"by its part!")
    assert memory.head(form_key(upload)) is None


def test_of_two_callers_the_second_finds_what_the_first_made(memory, sent, monkeypatch):
    upload = sent()

    def other_caller_first(stored):
        monkeypatch.undo()
        complete_upload(db.session.get(Upload, upload.id))
        return stored.form_has_come()

    monkeypatch.setattr(StoredUpload, "form_has_come", other_caller_first)
    assert complete_upload(upload).state == "completed"
    assert memory.calls.count("copy_part") == 1


def test_what_is_gone_when_it_is_to_be_copied_is_missing(memory, sent, monkeypatch):
    upload = sent()
    memory.delete(form_key(upload))
    monkeypatch.setattr(StoredUpload, "form_has_come", lambda stored: True)
    with pytest.raises(MissingParts):
        complete_upload(upload)


def test_an_object_of_another_size_is_not_taken(memory, pending):
    """A store that does not keep to the policy: rclone makes an empty part of any copy."""
    upload = pending()
    form = open_form(upload)
    short = Form(form.url, {**form.fields, "size": "1"}, form.expires_in)
    memory.post_form(short, b"x")
    memory.calls.clear()
    with pytest.raises(MissingParts):
        complete_upload(upload)
    assert "copy_part" not in memory.calls
