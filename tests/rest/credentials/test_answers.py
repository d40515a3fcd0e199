# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Why a wish for temporary keys is refused, and that the document knows all answers."""

from __future__ import annotations

import uuid

import pytest
from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Scope, Upload

from ...keys import ROLE
from ...people import Person, send_parts
from ..uppy import issue
from .wishes import KEYS, NAME, keys_of


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"scope": "none:such"}, (404, "scope_not_found")),
        ({}, (400, "invalid_request")),
        ({"scope": ""}, (400, "invalid_request")),
        ({"scope": "a\0b"}, (400, "invalid_request")),
        ({"scope": "a\ud800b"}, (404, "scope_not_found")),
        ({"scope": NAME, "lifetime": True}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 900.0}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 10**30}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 899}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 43_201}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": "900"}, (400, "invalid_request")),
        ({"scope": NAME, "more": 1}, (400, "invalid_request")),
        # More than the role allows, which is an hour at Ceph.
        ({"scope": NAME, "lifetime": 43_200}, (400, "invalid_request")),
    ],
)
def test_a_wish_that_cannot_be_is_refused(uploader, bucket, scope, body, code):
    answers = [uploader.post(KEYS, json=body)]
    if body.get("scope") == NAME:
        wish = {name: value for name, value in body.items() if name != "scope"}
        answers.append(uploader.post(keys_of(uploader.begin(bucket, "a", 3)), json=wish))
    for answer in answers:
        assert (answer.status_code, answer.get_json()["code"]) == code


def test_without_a_role_the_answer_names_the_remedy_and_parts_still_work(
    app, uploader, bucket, scope, monkeypatch
):
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", None)
    upload = uploader.begin(bucket, "a", 3)
    for answer in (uploader.post(keys_of(upload)), uploader.post(KEYS, json={"scope": NAME})):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "no_upload_role")
        assert "invenio s3 policy role" in answer.get_json()["message"]
        assert "in parts" in answer.get_json()["message"]
    send_parts(upload, b"abc")
    assert uploader.complete(upload).status_code == 200
    answer = uploader.post(keys_of(upload))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "no_upload_role")


def test_an_upload_that_has_ended_gets_no_keys(uploader, bucket):
    upload = uploader.upload(bucket, "a", b"abc")
    answer = uploader.post(keys_of(upload))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_not_pending")
    upload = uploader.begin(bucket, "a", 3)
    uploader.delete(upload["links"]["abort"])
    assert uploader.post(keys_of(upload)).status_code == 409


def test_a_role_that_the_store_does_not_know_is_the_operators_to_mend(
    app, uploader, bucket, monkeypatch
):
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", f"{ROLE}-none")
    answer = uploader.post(keys_of(uploader.begin(bucket, "a", 3)))
    assert (answer.status_code, answer.get_json()["code"]) == (502, "store_misconfigured")


def test_real_answers_are_as_the_document_says(
    app, person, watched, uploader, bucket, scope, page, contract, monkeypatch
):
    """All that these calls can answer; ``person`` and ``page`` compare each with the document."""
    upload = uploader.begin(bucket, "a", 3)
    row = db.session.get(Upload, uuid.UUID(upload["id"]))
    scope_id, uppy = scope.id, page(issue(uploader, bucket)["companion_url"])

    def each(who=uploader):
        who.post(keys_of(upload))
        who.post(KEYS, json={"scope": NAME})
        if who is uploader:
            uppy.call("GET", "/sts")

    for who in (uploader, watched(Person(app)), person(), person().grant(bucket, "bucket-read")):
        each(who)
    page("/multipart-uploads/companion/x").call("GET", "/sts")
    uploader.post(keys_of(upload), json={"lifetime": 1})
    uploader.post(KEYS, json={})
    uploader.post(KEYS, json={"scope": "none:such"})
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", f"{ROLE}-none")
    each()
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", None)
    each()
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", ROLE)
    for wrong, name, value in (
        (row, "uri", "nowhere://bucket/key"),
        (row, "expires_at", utcnow()),
        (db.session.get(Scope, scope_id), "location_name", "gone"),
    ):
        before = getattr(wrong, name)
        setattr(wrong, name, value)
        db.session.commit()
        each()
        setattr(wrong, name, before)
        db.session.commit()
    uploader.revoke(bucket)
    each()

    expected = {
        (name, int(status))
        for name, (_, _, operation) in contract.operations.items()
        for status in operation["responses"]
        if status not in ("429", "503")
        and (operation["tags"] == ["credentials"] or name == "companionSts")
    }
    seen = {(name, status) for name, status, _ in contract.seen}
    assert expected - seen == set()
