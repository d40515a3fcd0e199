# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may send parts: whom the record's own policy lets, at every door."""

from __future__ import annotations

import os

import pytest
from invenio_db import db
from invenio_records_permissions.generators import SystemProcess
from invenio_records_resources.proxies import current_service_registry
from invenio_records_resources.services.files.generators import IfTransferType

from ..people import Person
from .editor import PART
from .stack import EDITORS, Policy, Record


@pytest.fixture
def reader(editor, person):
    """Somebody who may look at the record's files."""
    someone = person()
    listed(editor, "readers", [someone])
    return someone


@pytest.fixture
def stranger(person):
    """Somebody whom the record does not know."""
    return person()


@pytest.fixture
def nobody(app):
    """Somebody who is not logged in."""
    return Person(app)


def listed(editor, name, people):
    """Write into the record who may do what."""
    record = Record.pid.resolve(editor.record_id, registered_only=False)
    record[name] = [someone.user_id for someone in people]
    record.commit()
    db.session.commit()


def session_of(editor):
    return f"/multipart-uploads/{editor.uploads()[0].id}"


def not_found(answer):
    assert (answer.status_code, answer.get_json()["code"]) == (404, "upload_not_found")


def test_part_links_are_for_those_who_may_send_parts(editor, reader, stranger, nobody):
    editor.begin("a.bin", PART)
    seen = reader.get(editor.of("a.bin")).get_json()
    assert (seen["status"], set(seen["links"])) == ("pending", {"self", "commit"})
    listing = reader.get(editor.at()).get_json()
    assert set(listing["entries"][0]["links"]) == {"self", "commit"}
    assert "parts" in editor.read("a.bin").get_json()["links"]
    for other in (stranger, nobody):
        assert other.get(editor.of("a.bin")).status_code == 403


def test_only_editors_begin_commit_and_remove(editor, reader, stranger, nobody):
    begun = editor.begin("a.bin", PART)
    editor.send(begun, os.urandom(PART))
    wanted = {"key": "b.bin", "size": 1, "transfer": {"type": "M", "parts": 1, "part_size": 1}}
    for other in (reader, stranger, nobody):
        assert other.post(editor.at(), json=[wanted]).status_code == 403
        assert other.post(editor.of("a.bin", "/commit")).status_code == 403
        assert other.delete(editor.of("a.bin")).status_code == 403
    assert [upload.state for upload in editor.uploads()] == ["pending"]


def test_an_editor_works_with_the_session_too(editor):
    content = os.urandom(2 * PART)
    editor.send(editor.begin("a.bin", 2 * PART), content, only=(2,))
    session = session_of(editor)
    assert editor.person.get(session).get_json()["state"] == "pending"
    parts = editor.person.get(f"{session}/parts").get_json()["parts"]
    assert [(part["part"], part["size"]) for part in parts] == [(2, PART)]
    fresh = editor.person.get(f"{session}/urls?parts=1").get_json()["urls"]
    editor.send({"transfer": {"part_size": PART}, "links": {"parts": fresh}}, content)
    assert editor.person.post(f"{session}/complete").get_json()["state"] == "completed"
    # What the record makes of it is still to come.
    assert editor.read("a.bin").get_json()["status"] == "pending"
    assert editor.commit("a.bin").get_json()["status"] == "completed"
    assert editor.content("a.bin") == content


def test_an_editor_gives_up_the_session(editor):
    editor.begin("a.bin", PART)
    assert editor.person.delete(session_of(editor)).status_code == 204
    assert editor.read("a.bin").get_json()["status"] == "failed"
    assert (editor.bucket_size(), editor.at_store()) == (0, set())
    assert editor.delete("a.bin").status_code == 204


@pytest.mark.parametrize(
    ("who", "status"), [("reader", 403), ("stranger", 404), ("nobody", 401)], ids=str
)
def test_the_session_is_closed_to_others(editor, request, who, status):
    someone = request.getfixturevalue(who)
    editor.begin("a.bin", PART)
    session = session_of(editor)
    for answer in (
        someone.get(session),
        someone.get(f"{session}/parts"),
        someone.get(f"{session}/urls?parts=1"),
        someone.post(f"{session}/complete"),
        someone.delete(session),
    ):
        assert answer.status_code == status
    assert [upload.state for upload in editor.uploads()] == ["pending"]


def test_who_is_an_editor_no_longer_goes_no_further(editor, stranger):
    editor.begin("a.bin", PART)
    listed(editor, "editors", [stranger])
    session = session_of(editor)
    assert editor.person.get(f"{session}/urls?parts=1").status_code == 404
    assert stranger.get(f"{session}/urls?parts=1").status_code == 200


def test_the_session_of_a_record_that_is_gone_is_nobodys(editor):
    editor.begin("a.bin", PART)
    session = session_of(editor)
    record = Record.pid.resolve(editor.record_id, registered_only=False)
    record.delete()
    db.session.commit()
    not_found(editor.person.get(session))


def test_so_is_the_session_of_a_record_whose_id_is_still_there(editor):
    editor.begin("a.bin", PART)
    session = session_of(editor)
    Record.pid.resolve(editor.record_id, registered_only=False).model.is_deleted = True
    db.session.commit()
    not_found(editor.person.get(session))


@pytest.mark.parametrize("lost", ["record_service", "record_pid"])
def test_so_is_the_session_of_a_service_or_an_id_that_is_gone(editor, lost):
    editor.begin("a.bin", PART)
    upload = editor.uploads()[0]
    setattr(upload, lost, "gone")
    db.session.commit()
    not_found(editor.person.get(session_of(editor)))


def test_a_service_that_is_not_registered_leaves_it_to_files_rest(editor, monkeypatch):
    def unknown(service):
        raise KeyError(service)

    monkeypatch.setattr(current_service_registry, "get_service_id", unknown)
    editor.begin("a.bin", PART)
    assert editor.uploads()[0].record_service is None
    assert editor.person.get(session_of(editor)).status_code == 404


DOORS = {
    "can_set_content_files": [("get", ""), ("get", "/parts"), ("get", "/urls?parts=1")],
    "can_commit_files": [("post", "/complete")],
    "can_delete_files": [("delete", "")],
}


@pytest.mark.parametrize("action", DOORS)
def test_each_door_of_the_session_has_its_own_action(editor, monkeypatch, action):
    editor.begin("a.bin", PART)
    session = session_of(editor)
    monkeypatch.setattr(Policy, action, [SystemProcess()])
    closed = [
        (method, rest)
        for doors in DOORS.values()
        for method, rest in doors
        if getattr(editor.person, method)(session + rest).status_code == 403
    ]
    assert closed == DOORS[action]


def test_a_policy_may_ask_for_the_type_of_transfer(editor, monkeypatch):
    multipart = IfTransferType("M", EDITORS, [SystemProcess()])
    monkeypatch.setattr(Policy, "can_set_content_files", [multipart])
    assert "parts" in editor.begin("a.bin", PART)["links"]
    assert editor.person.get(f"{session_of(editor)}/urls?parts=1").status_code == 200
