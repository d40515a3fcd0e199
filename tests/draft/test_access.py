# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may do what at a draft: its own permission of putting files decides, on every call."""

from __future__ import annotations

from types import SimpleNamespace
from uuid import UUID

import pytest
from invenio_db import db

from oarepo_s3.core.errors import Forbidden, NotAuthenticated
from oarepo_s3.services import get_upload
from oarepo_s3.views.record_permissions import FilePermission, permission_of

from ..people import Person
from .records import HERE, Draft, asked, begin, commit, is_untouched, send

# call: method and address below the file
CALLS = {
    "complete-multipart": ("post", "complete-multipart"),
    "abort-multipart": ("post", "abort-multipart"),
    "abort-multipart, DELETE": ("delete", "abort-multipart"),
    "complete": ("post", "{id}/complete"),
    "abort": ("post", "{id}/abort"),
    "abort, DELETE": ("delete", "{id}/abort"),
    "parts": ("get", "{id}/parts"),
    "presigned": ("get", "{id}/1/presigned"),
}
NOT_THERE = {"another key": "other.bin", "no key": "%00", "no text": "%ED%A0%80"}
REFUSED = {
    "anonymous": (401, "not_authenticated"),
    "stranger": (403, "forbidden"),
    "reader": (403, "forbidden"),
    "deleter": (403, "forbidden"),
    "bucket owner": (403, "forbidden"),
    "revoked in mid-upload": (403, "forbidden"),
}


def call(person, name, draft, upload, key="data.bin"):
    """Make a call of the table."""
    method, address = CALLS[name]
    address = address.format(id=upload["id"])
    return getattr(person, method)(f"{draft.address}/files/{key}/{address}")


def state_of(upload):
    db.session.rollback()
    return get_upload(UUID(upload["id"])).state


@pytest.fixture
def people(app, person, draft, owner):
    """One of each; the owner may do everything, and so may the colleague."""
    one = {
        name: person() for name in ("stranger", "reader", "deleter", "bucket owner", "colleague")
    }
    one |= {"anonymous": Person(app), "revoked in mid-upload": owner, "owner": owner}
    one["bucket owner"].grant(draft.bucket, "bucket-read", "bucket-update", "multipart-read")
    allow(
        draft, get=["reader", "owner"], put=["colleague", "owner"], delete=["deleter"], people=one
    )
    return one


def allow(draft, people, **actions):
    """Write into the draft who may do what."""
    record = draft.record
    for action, names in actions.items():
        record[action] = [people[name].user_id for name in names]
    record.commit()
    commit()


@pytest.fixture
def upload(people, draft):
    """An upload of the owner, with all of its bytes sent."""
    begun = begin(people["owner"], draft, "data.bin", 3).get_json()
    send(begun, b"abc")
    return begun


@pytest.mark.parametrize("caller", REFUSED)
def test_who_may_not_put_files_may_do_nothing_and_learns_nothing(people, draft, upload, caller):
    if caller == "revoked in mid-upload":
        allow(draft, people, put=["colleague"])
    for name in CALLS:
        for key in ("data.bin", *NOT_THERE.values()):
            answer = call(people[caller], name, draft, upload, key=key)
            got = (answer.status_code, answer.get_json()["code"])
            assert got == REFUSED[caller], (name, key)
    assert state_of(upload) == "pending"
    assert draft.listed["data.bin"]["checksum"] is None


@pytest.mark.parametrize("caller", [name for name in REFUSED if "mid-upload" not in name])
def test_who_may_not_put_files_begins_nothing(people, draft, caller):
    assert begin(people[caller], draft, "data.bin", 3).status_code == REFUSED[caller][0]
    assert is_untouched(draft)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("caller", ["owner", "colleague"])
def test_who_may_put_files_may_do_everything(people, draft, upload, caller, name):
    answer = call(people[caller], name, draft, upload)
    assert answer.status_code == (204 if "DELETE" in name else 200)


def test_a_factory_is_asked_on_every_call_as_the_endpoint_asks_it(people, draft, upload):
    # What changes nothing comes first, and the file is there to the end.
    for name in ("parts", "presigned", *CALLS):
        asked.clear()
        call(people["owner"], name, draft, upload, key="other.bin")
        call(people["owner"], name, draft, upload)
        assert [action for action, _ in asked] == ["put", "put"]
        other, first = (what for _, what in asked)
        assert set(first) == set(other) == {"view", "record", "key", "file_object"}
        assert (other["key"], other["file_object"]) == ("other.bin", None)
        assert (first["record"].id, first["key"]) == (draft.id, "data.bin")
        assert first["file_object"].key == "data.bin"


@pytest.mark.parametrize("where", [*NOT_THERE, "another record", "no record"])
def test_an_upload_is_not_found_anywhere_else(people, draft, upload, where):
    at, key = draft, NOT_THERE.get(where, "data.bin")
    if where == "another record":
        at = Draft(put=[people["owner"].user_id])
    if where == "no record":
        at = SimpleNamespace(address="/draft/records/nowhere")
    for name in CALLS:
        answer = call(people["owner"], name, at, upload, key=key)
        assert answer.status_code == 404, name
        if where != "no record":
            assert answer.get_json()["code"] == "upload_not_found"
    assert state_of(upload) == "pending"


@pytest.mark.parametrize(
    ("factory", "allowed"),
    [
        (lambda **what: SimpleNamespace(can=lambda: True), True),
        (lambda **what: SimpleNamespace(can=lambda: False), False),
        ("invenio_records_rest.utils:allow_all", True),
        ("invenio_records_rest.utils:deny_all", False),
        (f"{HERE}.may_put", False),
        (SimpleNamespace(can=lambda: True), True),
        (SimpleNamespace(can=lambda: False), False),
        (None, False),
        (lambda **what: None, False),
    ],
)
def test_a_factory_may_be_written_in_several_ways(app, draft, factory, allowed):
    permission = permission_of({"put_file_factory": factory}, {"pid_type": "x"})
    with app.test_request_context():
        if allowed:
            permission.require(None, draft.record, "a")
            return
        with pytest.raises((NotAuthenticated, Forbidden)):
            permission.require(None, draft.record, "a")


@pytest.mark.parametrize(
    ("files", "rest_endpoint", "permission"),
    [
        (None, None, None),
        (None, {"pid_type": "x"}, None),
        ({}, None, None),
        ({}, {"pid_type": "x"}, FilePermission(None)),
        ({"restricted": True}, None, FilePermission(None)),
        ({"put_file_factory": "f"}, None, FilePermission("f")),
    ],
)
def test_without_settings_of_an_endpoint_files_rest_decides(files, rest_endpoint, permission):
    assert permission_of(files, rest_endpoint) == permission
