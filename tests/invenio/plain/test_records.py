# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads below records of every state, by people of every right, with every wrong request."""

from __future__ import annotations

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket
from invenio_pidstore.models import PersistentIdentifier, PIDStatus, RecordIdentifier

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.models import Upload
from tests.people import Person, path

from .conftest import send

CALLS = {
    "begin": ("post", "begin-multipart"),
    "complete": ("post", "complete-multipart"),
    "abort": ("post", "abort-multipart"),
    "complete by id": ("post", "{id}/complete"),
    "abort by id": ("delete", "{id}/abort"),
    "parts": ("get", "{id}/parts"),
    "presigned": ("get", "{id}/1/presigned"),
}


def answers(person, author, upload_id, address=None):
    """Make every call below a file; return status and code of each, by its name."""
    made = {}
    for name, (method, call) in CALLS.items():
        body = {"json": {"size": 3}} if name == "begin" else {}
        base = address or author.address
        answer = getattr(person, method)(
            f"{base}/files/data.bin/{call.format(id=upload_id)}", **body
        )
        made[name] = (answer.status_code, (answer.get_json() or {}).get("code"))
    return made


def pid_of(author):
    """The identifier of the author's record."""
    return PersistentIdentifier.get("recid", author.address.rpartition("/")[2])


@pytest.fixture
def session(author):
    """An upload whose bytes are all there."""
    session = author.begin_file("data.bin", 3)
    send(session, b"abc")
    return session


def is_untouched(session):
    """Whether the upload can still be completed."""
    upload = Upload.query.filter_by(bucket_id=session["bucket"]).one()
    return (str(upload.id), upload.state) == (session["id"], "pending")


def test_permissions_are_those_of_the_bucket(app, author, person, session):
    ours = set(CALLS) - {"begin"}

    made = answers(Person(app), author, session["id"])
    assert made.pop("begin") == (401, None)
    assert made == dict.fromkeys(ours, (401, "not_authenticated"))

    made = answers(person(), author, session["id"])
    assert made.pop("begin") == (403, None)
    assert made == dict.fromkeys(ours, (404, "upload_not_found"))

    bucket = Bucket.get(session["bucket"])
    made = answers(person().grant(bucket, "bucket-read"), author, session["id"])
    assert made.pop("begin") == (403, None)
    assert made == dict.fromkeys(ours, (403, "forbidden"))

    assert is_untouched(session)
    assert author.post(session["complete_url"]).status_code == 200


def test_a_file_is_read_by_whom_files_rest_lets(app, author, person, session):
    author.post(session["complete_url"])
    bucket = Bucket.get(session["bucket"])
    reader = person().grant(bucket, "object-read")
    for address in (author.file("data.bin"), f"/files/{bucket.id}/data.bin"):
        assert reader.get(address).status_code == 302
        assert person().get(address).status_code == 404
        assert Person(app).get(address).status_code == 404


def test_a_record_without_a_bucket_has_no_uploads(author, plain, session):
    number = RecordIdentifier.next()
    record = plain.DataRecord.create({"control_number": str(number)}, with_bucket=False)
    PersistentIdentifier.create(
        "recid", str(number), object_type="rec", object_uuid=record.id, status=PIDStatus.REGISTERED
    )
    db.session.commit()

    made = answers(author, author, session["id"], address=f"/records/{number}")

    assert made.pop("begin") == (404, None)
    assert set(made.values()) == {(404, "upload_not_found")}
    assert is_untouched(session)


def test_a_record_that_is_not_there_is_not_found(author, session):
    made = answers(author, author, session["id"], address="/records/100000")
    assert set(made.values()) == {(404, None)}


def test_a_deleted_record_is_gone_with_its_uploads(author, record_of, session):
    record_of(author).delete()
    pid_of(author).delete()
    db.session.commit()

    assert set(answers(author, author, session["id"]).values()) == {(410, None)}

    # The bucket and the upload are still there, and the REST API of uploads ends it.
    assert is_untouched(session)
    assert author.post(f"/multipart-uploads/{session['id']}/complete").status_code == 200


@pytest.fixture
def redirected(author, session):
    """An identifier that redirects to another record of the author."""
    pid = pid_of(author)
    author.create_record()
    pid.redirect(pid_of(author))
    db.session.commit()
    return pid.pid_value


def test_an_identifier_that_redirects_leads_to_the_record(author, session, redirected):
    for method, call in CALLS.values():
        address = f"/records/{redirected}/files/data.bin/{call.format(id=session['id'])}"
        answer = getattr(author, method)(
            address, **({"json": {"size": 1}} if "begin" in call else {})
        )
        assert answer.status_code == 301
        assert answer.headers["Location"] == path(author.address)
    assert is_untouched(session)


def test_where_nothing_says_how_to_redirect_the_upload_is_not_found(author, session, redirected):
    made = answers(author, author, session["id"], address=f"/bare/records/{redirected}")
    assert made.pop("begin") == (404, None)
    assert set(made.values()) == {(404, "upload_not_found")}
    assert is_untouched(session)


def test_a_locked_bucket_takes_no_upload(author, session):
    bucket = Bucket.get(session["bucket"])
    bucket.locked = True
    db.session.commit()
    assert author.post(author.file("b", "begin-multipart"), json={"size": 1}).status_code == 403
    answer = author.post(session["complete_url"])
    assert (answer.status_code, answer.get_json()["code"]) == (403, "bucket_locked")


WRONG = {
    "a negative size": ("data.bin", {"size": -1}, 400, "invalid_size"),
    "too large for any store": ("data.bin", {"size": 2**60}, 400, "invalid_size"),
    "no size": ("data.bin", {}, 422, None),
    "a type that is no number": ("data.bin", {"size": "x"}, 422, None),
    "a name that is too long": ("a" * 256, {"size": 1}, 400, None),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_cannot_be_begun_is_refused(author, wrong):
    key, body, status, code = WRONG[wrong]
    answer = author.post(author.file(key, "begin-multipart"), json=body)
    assert (answer.status_code, (answer.get_json() or {}).get("code")) == (status, code)
    assert author.listed() == []


def test_a_file_beyond_the_quota_is_refused(author, record_of):
    record_of(author).bucket.quota_size = 10
    db.session.commit()
    answer = author.post(author.file("data.bin", "begin-multipart"), json={"size": 11})
    assert answer.status_code == 400
    assert author.listed() == []


def test_a_store_that_is_away_is_said_so(author, monkeypatch):
    def away(self, *args, **kwargs):
        raise StoreUnavailable(reason="a test")

    monkeypatch.setattr(S3Store, "create_upload", away)
    answer = author.post(author.file("data.bin", "begin-multipart"), json={"size": 1})
    assert (answer.status_code, answer.get_json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert author.listed() == []


def test_errors_of_a_complete_have_their_codes(author):
    session = author.begin_file("data.bin", 3)
    answer = author.post(session["complete_url"])
    assert (answer.status_code, answer.get_json()["code"]) == (400, "missing_parts")
    answer = author.post(session["complete_url"], data="{")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")
    answer = author.get(author.file("data.bin", f"{session['id']}/2/presigned"))
    assert (answer.status_code, answer.get_json()["code"]) == (400, "part_out_of_range")
