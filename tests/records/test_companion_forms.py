# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A small file of a record by Uppy's form: the task that completes it commits it, too."""

from __future__ import annotations

import os

import pytest
from invenio_db import db

from oarepo_s3.models import Upload
from oarepo_s3.services import complete_upload
from oarepo_s3.services.forms import SLOWEST_FORM
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import REAL
from .stack import Record
from .test_companion import page_of, refused

CONTENT = os.urandom(1000)

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """Ceph, which takes forms."""
    return request.param


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A store that is known to take forms."""
    app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


@pytest.fixture
def uppy(app, editor):
    """The page of the editor."""
    return page_of(app, editor.person, editor.record_id)


def sent(uppy, content=CONTENT):
    """Send a file by a form; return the names by which a page may complete it."""
    form = uppy.params("a.bin", len(content)).get_json()
    assert uppy.post(form, content).status == 201
    return {"uploadId": form["fields"]["key"].rpartition("/")[2], "key": "a.bin"}


def entry(editor):
    found = editor.read("a.bin").get_json()
    return found["status"], found["transfer"]["type"]


@pytest.mark.parametrize("content", [CONTENT, b""], ids=len)
def test_the_task_completes_and_commits_the_file(uppy, editor, content):
    sent(uppy, content)
    assert entry(editor) == ("pending", "M")
    assert recover()["completed"] == 1
    assert entry(editor) == ("completed", "L")
    assert editor.content("a.bin") == content
    assert editor.bucket_size() == len(content)


def test_a_page_that_does_not_want_to_wait_completes_it(uppy, editor):
    created = sent(uppy)
    for _ in range(2):
        answer = uppy.of(created, "/complete", "POST")
        assert answer.status_code == 200, answer.get_data(as_text=True)
    assert entry(editor) == ("completed", "L")
    assert editor.content("a.bin") == CONTENT


def test_who_commits_it_as_any_transfer_finds_it_done(uppy, editor):
    sent(uppy)
    assert editor.commit("a.bin").status_code == 200
    assert entry(editor) == ("completed", "L")
    assert editor.content("a.bin") == CONTENT


def test_a_file_that_was_removed_meanwhile_is_not_committed(uppy, editor):
    sent(uppy)
    editor.delete("a.bin")
    assert recover()["completed"] == 0
    assert [upload.state for upload in Upload.query] == ["aborted"]


@pytest.fixture
def tried(file_service, monkeypatch):
    """The commits that were tried; the first two fail."""
    tried = []
    commit_file = file_service.commit_file

    def commit(identity, pid, key, **more):
        tried.append(key)
        if len(tried) <= 2:
            raise OSError("no answer")
        return commit_file(identity, pid, key, **more)

    monkeypatch.setattr(file_service, "commit_file", commit)
    return tried


def only_upload():
    db.session.rollback()
    return Upload.query.one()


def is_done_with(upload):
    return upload.rests_until == upload.form_until + SLOWEST_FORM


def test_a_commit_that_failed_is_tried_until_it_is_done(uppy, editor, tried):
    sent(uppy)
    counts = recover()
    # at the end of the upload, and once by the recovery
    assert (counts["completed"], counts["failed"], len(tried)) == (1, 1, 2)
    assert entry(editor) == ("pending", "M")
    assert recover()["failed"] == 0
    assert entry(editor) == ("completed", "L")
    assert editor.content("a.bin") == CONTENT
    assert is_done_with(only_upload())
    recover()
    assert len(tried) == 3


@pytest.fixture
def completed(_no_older_uploads, uppy, editor, monkeypatch):
    """An upload whose worker died before it told anybody of its end."""
    sent(uppy)
    monkeypatch.setattr("oarepo_s3.services.complete.announce", lambda *args, **kwargs: None)
    complete_upload(only_upload())
    monkeypatch.undo()
    assert entry(editor) == ("pending", "M")


@pytest.mark.usefixtures("completed")
def test_a_commit_that_nobody_began_is_made(editor):
    recover()
    assert entry(editor) == ("completed", "L")
    assert editor.content("a.bin") == CONTENT


@pytest.mark.usefixtures("completed")
@pytest.mark.parametrize("what", ["the file", "the record"])
def test_what_is_gone_needs_no_commit(editor, what):
    if what == "the file":
        editor.delete("a.bin")
    else:
        Record.pid.resolve(editor.record_id).delete()
        db.session.commit()
    assert recover()["failed"] == 0
    assert is_done_with(only_upload())


def test_a_second_file_of_the_name_gets_no_form(uppy, editor):
    sent(uppy)
    refused(uppy.params("a.bin", 3), 400, "invalid_key")
