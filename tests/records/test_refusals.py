# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What cannot be is refused with a clear answer, and leaves nothing behind."""

from __future__ import annotations

import os

import pytest

from oarepo_s3.services import sweep_expired

from .editor import PART, transfer


def refused(answer, code=None):
    assert answer.status_code == 400, answer.get_data(as_text=True)
    if code:
        assert answer.get_json()["code"] == code
    return answer.get_json()


def nothing_of(editor):
    assert editor.uploads() == []
    assert editor.list().get_json()["entries"] == []
    assert editor.bucket_size() == 0
    assert editor.at_store() == set()


@pytest.mark.parametrize(
    "limits", [{"quota_size": 2 * PART - 1}, {"max_file_size": 2 * PART - 1}], ids=str
)
def test_a_file_without_room(new_editor, limits):
    editor = new_editor(**limits)
    assert f"{2 * PART} bytes" in refused(editor.ask(transfer("a.bin", 2 * PART)))["message"]
    nothing_of(editor)


def test_files_that_are_under_way_take_up_the_quota(new_editor):
    editor = new_editor(quota_size=3 * PART)
    editor.begin("a.bin", 2 * PART)
    assert editor.bucket_size() == 2 * PART
    refused(editor.ask(transfer("b.bin", 2 * PART)))
    editor.begin("c.bin", PART)
    assert editor.bucket_size() == 3 * PART


@pytest.mark.parametrize(
    ("parts", "part_size"),
    [
        (0, PART),
        (-1, PART),
        (10_001, PART),
        (10**30, PART),
        (1, PART),
        (3, PART),
        (2, 0),
        (2, -PART),
        (3, PART - 1),
        (2, 5 * 2**30 + 1),
        (2, 10**30),
    ],
)
def test_parts_that_the_file_cannot_have(editor, parts, part_size):
    refused(editor.ask(transfer("a.bin", 2 * PART, parts, part_size)))
    nothing_of(editor)


@pytest.mark.parametrize("size", [-1, 5 * 2**40 + 1, 10**30, None])
def test_a_size_that_no_file_can_have(editor, size):
    refused(editor.ask({**transfer("a.bin", 1, 1), "size": size}))
    nothing_of(editor)


def test_a_size_has_to_be_given(editor):
    wanted = transfer("a.bin", 1, 1)
    del wanted["size"]
    refused(editor.ask(wanted), "invalid_request")
    nothing_of(editor)


@pytest.mark.parametrize("more", [{"checksum": "nonsense"}, {"storage_class": "Q"}], ids=str)
def test_what_else_cannot_be(editor, more):
    refused(editor.ask(transfer("a.bin", 1, 1, **more)), "invalid_request")
    nothing_of(editor)


def test_an_empty_file_where_these_are_not_taken(app, editor, monkeypatch):
    monkeypatch.setitem(app.config, "RECORDS_RESOURCES_ALLOW_EMPTY_FILES", False)
    refused(editor.ask(transfer("a.bin", 0, 1)), "invalid_request")
    nothing_of(editor)


def test_of_several_files_none_is_begun_when_one_is_refused(editor):
    refused(editor.ask(transfer("a.bin", PART), transfer("b.bin", PART, 7)), "invalid_request")
    nothing_of(editor)


def test_the_cut_may_be_left_to_the_server(editor):
    content = os.urandom(2 * PART + 1)
    begun = editor.ask(transfer("a.bin", len(content), 2, part_size=None)).get_json()["entries"][0]
    assert begun["transfer"] == {"type": "M", "parts": 2, "part_size": PART + 1}
    editor.send(begun, content)
    assert editor.commit("a.bin").status_code == 200


def test_a_file_of_no_bytes_and_a_small_file_in_one_part(editor):
    assert editor.upload("empty.bin", b"")["size"] == 0
    assert editor.content("empty.bin") == b""
    begun = editor.begin("small.bin", 3, parts=1, part_size=3)
    editor.send(begun, b"abc")
    assert editor.commit("small.bin").get_json()["size"] == 3


def test_a_commit_names_the_parts_that_are_missing(editor):
    content = os.urandom(3 * PART)
    begun = editor.begin("a.bin", len(content))
    editor.send(begun, content, only=(2,))
    said = refused(editor.commit("a.bin"), "missing_parts")
    assert "2 of 3 parts are missing: 1, 3." in said["message"]
    assert [error["field"] for error in said["errors"]] == ["parts.1", "parts.3"]
    assert editor.read("a.bin").get_json()["status"] == "pending"
    editor.send(begun, content, only=(1, 3))
    assert editor.commit("a.bin").status_code == 200
    assert editor.content("a.bin") == content


def test_a_file_is_as_long_as_was_declared(editor):
    content = os.urandom(2 * PART)
    begun = editor.begin("a.bin", len(content))
    editor.send(begun, content[:-1])
    assert "parts.2" in str(refused(editor.commit("a.bin"), "part_size_mismatch"))
    editor.send(begun, content, only=(2,))
    assert editor.commit("a.bin").get_json()["size"] == len(content)


def test_content_that_comes_through_the_server_is_refused_and_loses_nothing(editor):
    content = os.urandom(PART)
    begun = editor.begin("a.bin", PART)
    for address in ("/content", "/content/1"):
        answer = editor.person.client.put(
            editor.of("a.bin", address),
            data=b"abc",
            headers={"Content-Type": "application/octet-stream"},
        )
        refused(answer, "invalid_request")
    editor.send(begun, content)
    assert editor.commit("a.bin").status_code == 200


def test_nobody_reads_a_file_before_its_commit(editor):
    content = os.urandom(PART)
    begun = editor.begin("a.bin", PART)
    assert "content" not in begun["links"]
    for sent in (b"", content):
        if sent:
            editor.send(begun, sent)
        answer = editor.person.get(editor.of("a.bin", "/content"))
        assert answer.status_code == 400
        assert "Location" not in answer.headers
    assert editor.commit("a.bin").status_code == 200
    assert editor.content("a.bin") == content


def test_the_key_of_a_file_under_way_is_taken(editor):
    editor.begin("a.bin", PART)
    refused(editor.ask(transfer("a.bin", PART)))
    assert len(editor.uploads()) == 1
    assert editor.bucket_size() == PART


def test_the_sweep_leaves_a_file_under_way_alone(editor):
    editor.begin("a.bin", PART)
    assert sweep_expired().aborted == 0
    assert [upload.state for upload in editor.uploads()] == ["pending"]
