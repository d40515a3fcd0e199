# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uppy uploads to a record by a token: everything by the record's own file service."""

from __future__ import annotations

import os

import pytest
from invenio_db import db

from oarepo_s3.models import Upload, UploadToken

from ..people import path
from ..rest.uppy import PART, TOKENS, Uppy
from .stack import SERVICE, Policy, Record


def ask(person, record_id, service=SERVICE, **wishes):
    """Ask for a token."""
    return person.post(TOKENS, json={"draft": {"service": service, "id": record_id}, **wishes})


def page_of(app, person, record_id):
    """Return the page of somebody with a token for a record."""
    answer = ask(person, record_id)
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return Uppy(app.test_client(), answer.get_json()["companion_url"])


@pytest.fixture
def uppy(app, editor):
    """The page of the editor."""
    return page_of(app, editor.person, editor.record_id)


def row(created):
    """Return the upload, as it is now."""
    db.session.rollback()
    return db.session.get(Upload, created["uploadId"])


def refused(answer, status, code):
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def test_a_file_of_the_record_goes_up_as_uppy_sends_it(uppy, editor):
    content = os.urandom(PART + 3)

    created = uppy.create("some file.bin", len(content))

    upload = row(created)
    assert (upload.record_service, upload.record_pid) == (SERVICE, editor.record_id)
    assert (upload.part_size, upload.num_parts) == (PART, 2)
    assert editor.read("some file.bin").get_json()["status"] == "pending"
    parts = uppy.send(created, content)
    assert [part["ETag"] for part in uppy.list(created).get_json()] == [p["ETag"] for p in parts]
    done = uppy.complete(created, parts)
    assert done.status_code == 200, done.get_data(as_text=True)
    entry = editor.read("some file.bin").get_json()
    assert (entry["status"], entry["transfer"]["type"]) == ("completed", "L")
    assert done.get_json()["location"] == entry["links"]["content"]
    assert editor.content("some file.bin") == content
    assert editor.bucket_size() == len(content)


def test_a_repeated_complete_is_the_same(uppy, editor):
    created = uppy.create("a.bin", 3)
    parts = uppy.send(created, b"abc")
    first = uppy.complete(created, parts).get_json()
    assert uppy.list(created).get_json()[0]["Size"] == 3
    assert uppy.complete(created, parts).get_json() == first
    assert editor.content("a.bin") == b"abc"


def test_a_commit_that_was_lost_half_way_is_finished(uppy, editor, monkeypatch):
    created = uppy.create("a.bin", 3)
    parts = uppy.send(created, b"abc")
    assert (
        editor.person.post(f"/multipart-uploads/{created['uploadId']}/complete").status_code == 200
    )
    assert editor.read("a.bin").get_json()["status"] == "pending"
    assert uppy.complete(created, parts).status_code == 200
    assert editor.read("a.bin").get_json()["status"] == "completed"


def test_a_wrong_claim_is_refused_and_can_be_mended(uppy, editor):
    created = uppy.create("a.bin", 3)
    parts = uppy.send(created, b"abc")
    refused(uppy.complete(created, [{**parts[0], "ETag": "wrong"}]), 400, "etag_mismatch")
    assert editor.read("a.bin").get_json()["status"] == "pending"
    assert uppy.complete(created, parts).status_code == 200


def test_cancel_removes_the_file_and_its_upload(uppy, editor):
    created = uppy.create("a.bin", PART)
    for _ in range(2):
        answer = uppy.abort(created)
        assert (answer.status_code, answer.get_json()) == (200, {})
    assert (row(created).state, editor.bucket_size(), editor.at_store()) == ("aborted", 0, set())
    assert editor.read("a.bin").status_code == 404
    # The name is free again.
    assert uppy.create("a.bin", PART)


def test_a_file_that_is_there_is_not_removed_by_cancel(uppy, editor):
    created = uppy.create("a.bin", 3)
    uppy.complete(created, uppy.send(created, b"abc"))
    refused(uppy.abort(created), 409, "upload_not_pending")
    assert editor.content("a.bin") == b"abc"


def test_cancel_leaves_the_file_alone_that_has_the_name_by_now(uppy, editor):
    created = uppy.create("a.bin", PART)
    editor.delete("a.bin")
    editor.upload("a.bin", b"another")
    refused(uppy.complete(created, []), 404, "upload_not_found")
    assert uppy.abort(created).status_code == 200
    assert editor.content("a.bin") == b"another"


def test_a_name_is_taken_once(uppy, editor):
    uppy.create("a.bin", 3)
    answer = uppy.ask("a.bin", size=3)
    refused(answer, 400, "invalid_key")
    assert "already" in answer.status
    assert len(editor.uploads()) == 1


@pytest.mark.parametrize(
    ("filename", "size", "limits", "code"),
    [
        ("a", 11, {"quota_size": 10}, "quota_exceeded"),
        ("a", 11, {"max_file_size": 10}, "file_too_large"),
        ("a", 6 * 2**40, {}, "invalid_size"),
        ("a\nb", 3, {}, "invalid_key"),
        ("", 3, {}, "invalid_key"),
    ],
)
def test_what_the_record_does_not_take_is_said(app, new_editor, filename, size, limits, code):
    editor = new_editor(**limits)
    page = page_of(app, editor.person, editor.record_id)
    refused(page.ask(filename, size=size), 400, code)
    assert (editor.uploads(), editor.at_store()) == ([], set())


def test_too_many_files_are_refused(uppy, editor, file_service, monkeypatch):
    monkeypatch.setattr(file_service.config, "max_files_count", 1)
    uppy.create("a.bin", 3)
    refused(uppy.ask("b.bin", size=3), 400, "invalid_request")


def test_a_record_without_files_takes_none(uppy, editor):
    record = Record.pid.resolve(editor.record_id, registered_only=False)
    record.files.enabled = False
    record.commit()
    db.session.commit()
    refused(uppy.ask("a.bin", size=3), 400, "invalid_request")


def test_a_locked_bucket_is_said(uppy, editor):
    Record.pid.resolve(editor.record_id, registered_only=False).bucket.locked = True
    db.session.commit()
    refused(uppy.ask("a.bin", size=3), 403, "bucket_locked")


def test_only_who_may_add_files_gets_a_token(app, editor, person):
    reader, stranger = person(), person()
    record = Record.pid.resolve(editor.record_id, registered_only=False)
    record["readers"] = [reader.user_id]
    record.commit()
    db.session.commit()
    refused(ask(reader, editor.record_id), 403, "forbidden")
    refused(ask(stranger, editor.record_id), 404, "draft_not_found")
    refused(ask(editor.person, "no-such"), 404, "draft_not_found")
    refused(ask(editor.person, editor.record_id, service="none"), 404, "draft_not_found")
    assert UploadToken.query.filter_by(record_pid=editor.record_id).count() == 0


def test_a_service_that_has_no_files_opens_nothing(app, editor, monkeypatch):
    registry = app.extensions["invenio-records-resources"].registry
    monkeypatch.setitem(registry._services, "no-files", object())
    refused(ask(editor.person, editor.record_id, service="no-files"), 404, "draft_not_found")


def test_who_is_an_editor_no_longer_goes_no_further(uppy, editor, person):
    created = uppy.create("a.bin", 3)
    record = Record.pid.resolve(editor.record_id, registered_only=False)
    record["editors"] = [person().user_id]
    record.commit()
    db.session.commit()
    refused(uppy.ask("b.bin", size=3), 404, "draft_not_found")
    for answer in (
        uppy.sign(created, 1),
        uppy.list(created),
        uppy.of(created, "/batch", partNumbers="1"),
        uppy.complete(created, []),
        uppy.abort(created),
    ):
        refused(answer, 404, "upload_not_found")
    assert row(created).state == "pending"


def test_a_record_that_is_gone_takes_no_more(uppy, editor):
    created = uppy.create("a.bin", 3)
    Record.pid.resolve(editor.record_id, registered_only=False).delete()
    db.session.commit()
    refused(uppy.ask("b.bin", size=3), 404, "draft_not_found")
    refused(uppy.sign(created, 1), 404, "upload_not_found")
    refused(uppy.complete(created, []), 404, "upload_not_found")


def test_each_call_asks_for_its_own_right(uppy, editor, monkeypatch):
    created = uppy.create("a.bin", 3)
    parts = uppy.send(created, b"abc")
    calls = {
        "can_set_content_files": lambda: uppy.sign(created, 1),
        "can_commit_files": lambda: uppy.complete(created, parts),
        "can_delete_files": lambda: uppy.abort(created),
        "can_create_files": lambda: uppy.ask("b.bin", size=3),
    }
    for action, call in calls.items():
        with monkeypatch.context() as patch:
            patch.setattr(Policy, action, [])
            refused(call(), 403, "forbidden")
    assert row(created).state == "pending"


def test_a_token_opens_its_record_alone(app, editor, new_editor, uploader, bucket):
    mine = page_of(app, editor.person, editor.record_id)
    second = new_editor()
    record = Record.pid.resolve(second.record_id, registered_only=False)
    record["editors"] = [editor.person.user_id]
    record.commit()
    db.session.commit()
    other = page_of(app, editor.person, second.record_id)
    begun = other.create("a.bin", 3)
    refused(mine.sign(begun, 1), 404, "upload_not_found")
    refused(mine.abort(begun), 404, "upload_not_found")
    assert row(begun).state == "pending"


def test_a_token_of_the_bucket_does_not_open_the_files_of_its_record(app, editor, uppy):
    record = Record.pid.resolve(editor.record_id, registered_only=False)
    editor.person.grant(record.bucket, "bucket-read", "bucket-update")
    created = uppy.create("a.bin", 3)
    issued = editor.person.post(TOKENS, json={"bucket": str(record.bucket.id)}).get_json()
    by_bucket = Uppy(app.test_client(), issued["companion_url"])
    refused(by_bucket.sign(created, 1), 404, "upload_not_found")
    direct = by_bucket.create("b.bin", 3)
    refused(uppy.sign(direct, 1), 404, "upload_not_found")


def test_the_session_links_to_the_content_of_the_record(uppy, editor):
    created = uppy.create("a b.bin", 3)
    location = uppy.complete(created, uppy.send(created, b"abc")).get_json()["location"]
    session = editor.person.get(f"/multipart-uploads/{created['uploadId']}").get_json()
    assert session["file"]["links"] == {"content": location}
    assert path(location).endswith(f"/test-records/{editor.record_id}/files/a%20b.bin/content")
