# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What cannot be begun: the client learns why, and nothing is left of it anywhere."""

from __future__ import annotations

import json
from uuid import UUID

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location
from invenio_records.signals import before_record_update
from sqlalchemy.exc import OperationalError

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.services import get_upload

from .records import Draft, begin, commit, is_untouched, send

GOOD = {"key": "data.bin", "multipart_content_type": "text/x-test", "size": 3}
LONG = "x" * 300


@pytest.fixture(autouse=True)
def nothing_at_the_store(draft, store):
    """Nothing new may be open at the store when a test of this module ends."""
    before = store.open_uploads()
    yield
    assert store.open_uploads() == before


def post(person, draft, query="?multipart=True", **kwargs):
    return person.post(f"{draft.address}/files/{query}", **kwargs)


@pytest.mark.parametrize("as_form", [False, True], ids=["json", "form"])
@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"size": None}, "invalid_request"),
        ({"size": ""}, "invalid_request"),
        ({"size": "1e3"}, "invalid_request"),
        ({"size": "٣"}, "invalid_request"),
        ({"size": "9" * 20}, "invalid_request"),
        ({"size": "9" * 5000}, "invalid_request"),
        ({"size": 10**18}, "invalid_size"),
        ({"size": -1}, None),
        ({"part_size": "big"}, "invalid_request"),
        ({"checksum": "no digest"}, "invalid_request"),
        ({"multipart_content_type": "no type"}, "invalid_request"),
        ({"multipart_content_type": f"text/{LONG}"}, "invalid_request"),
        ({"key": "a/b"}, "invalid_key"),
        ({"key": "a\nb"}, "invalid_key"),
        ({"key": ".."}, "invalid_key"),
        ({"key": LONG}, "invalid_key"),
    ],
)
def test_wrong_input_is_a_clear_refusal(owner, draft, change, code, as_form):
    body = {**GOOD, **change}
    if as_form:
        body = {name: value for name, value in body.items() if value is not None}
        answer = post(owner, draft, data=body)
        code = code or "invalid_request"
    else:
        answer = post(owner, draft, json=body)
        code = code or "invalid_size"
    got = answer.get_json()
    assert (answer.status_code, got["status"], got["code"]) == (400, 400, code)
    assert is_untouched(draft)


@pytest.mark.parametrize("size", [True, 3.0, "3", [3], {}, 2**63])
def test_a_size_in_json_is_an_integer(owner, draft, size):
    answer = post(owner, draft, json={**GOOD, "size": size})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")
    assert answer.get_json()["errors"][0]["field"] == "size"
    assert is_untouched(draft)


@pytest.mark.parametrize(
    ("kwargs", "status"),
    [
        # These the package refuses by itself, before an uploader is asked.
        ({"json": {"multipart_content_type": "text/x-test", "size": 3}}, 422),
        ({"json": {"key": "a", "size": 3}}, 500),
        ({"data": "{", "content_type": "application/json"}, 422),
        ({"data": json.dumps(GOOD), "content_type": "text/plain"}, 422),
        ({}, 422),
    ],
)
def test_what_the_package_refuses_leaves_nothing(owner, draft, kwargs, status):
    assert post(owner, draft, **kwargs).status_code == status
    assert is_untouched(draft)


def test_what_others_did_for_a_refused_upload_is_not_written_later(owner, draft):
    from oarepo_records_draft.signals import file_before_uploaded

    def prepare(sender, **kwargs):
        Bucket.get(draft.bucket.id).quota_size = 77

    with file_before_uploaded.connected_to(prepare):
        assert begin(owner, draft, "a", "three").status_code == 400
    db.session.commit()
    db.session.expire_all()
    assert Bucket.get(draft.bucket.id).quota_size != 77


def test_no_room_is_a_clear_refusal(owner, draft):
    bucket = Bucket.get(draft.bucket.id)
    bucket.quota_size = 2
    commit()
    answer = begin(owner, draft, "a", 3)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "quota_exceeded")
    assert is_untouched(draft)


@pytest.mark.parametrize(
    ("column", "status", "code"),
    [("locked", 403, "bucket_locked"), ("deleted", 404, "bucket_not_found")],
)
def test_a_closed_bucket_is_a_clear_refusal(owner, draft, column, status, code):
    setattr(Bucket.get(draft.bucket.id), column, True)
    commit()
    answer = begin(owner, draft, "a", 3)
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert is_untouched(draft)


def test_a_location_that_is_no_store_is_a_clear_error(owner, draft, tmp_path):
    location = Location(name="local-files", uri=str(tmp_path))
    db.session.add(location)
    Bucket.get(draft.bucket.id).location = location
    commit()
    answer = begin(owner, draft, "a", 3)
    got = answer.get_json()
    assert (answer.status_code, got["code"]) == (500, "invalid_location")
    assert "No back end for the location" in got["message"]
    assert is_untouched(draft)


def test_a_store_that_is_away_is_said_to_be_away(owner, draft, monkeypatch):
    def away(*args, **kwargs):
        raise StoreUnavailable(reason="away")

    monkeypatch.setattr(S3Store, "create_upload", away)
    answer = begin(owner, draft, "a", 3)
    assert (answer.status_code, answer.get_json()["code"]) == (503, "store_unavailable")
    assert "Retry-After" in answer.headers
    assert is_untouched(draft)


@pytest.mark.parametrize("more", [{}, {"mimetype": "already an attribute of the file"}])
def test_a_record_that_is_not_written_leaves_no_upload(owner, draft, store, more):
    opened = []

    def refuse(sender, **kwargs):
        opened.extend(store.open_uploads().keys() - before)
        raise ValueError("not today")

    before = store.open_uploads()
    with before_record_update.connected_to(refuse):
        answer = begin(owner, draft, "a", 3, **more)

    assert answer.status_code == 500
    assert len(opened) == (0 if more else 1), "the upload was open by then"
    assert is_untouched(draft)


def test_a_commit_that_fails_leaves_no_upload(owner, draft, monkeypatch):
    def fail(*args, **kwargs):
        raise OperationalError("COMMIT", {}, Exception("gone"))

    monkeypatch.setattr(db.session, "commit", fail)
    answer = begin(owner, draft, "a", 3)
    monkeypatch.undo()
    assert answer.status_code == 500
    assert is_untouched(draft)


def test_an_upload_that_was_saved_is_not_dropped_for_an_answer_that_was_lost(
    owner, draft, store, monkeypatch
):
    before = store.open_uploads()
    commits = db.session.commit

    def lose_the_answer(*args, **kwargs):
        commits()
        raise OperationalError("COMMIT", {}, Exception("gone"))

    monkeypatch.setattr(db.session, "commit", lose_the_answer)
    assert begin(owner, draft, "a", 3).status_code == 500
    monkeypatch.undo()
    assert len(store.open_uploads().keys() - before) == 1
    address = f"{draft.address}/files/a/abort-multipart"
    upload = owner.post(address)
    assert (upload.status_code, upload.get_json()["state"]) == (200, "aborted")


def test_a_store_that_goes_away_before_an_upload_is_dropped_is_logged(
    owner, draft, store, monkeypatch, caplog
):
    def away(*args, **kwargs):
        raise StoreUnavailable(reason="away")

    before = store.open_uploads()
    with monkeypatch.context() as broken, before_record_update.connected_to(away):
        broken.setattr(S3Store, "abort_upload", away)
        assert begin(owner, draft, "a", 3).status_code == 500
    assert [r.action for r in caplog.records if hasattr(r, "action")] == ["drop_failed"]
    assert is_untouched(draft)
    for upload_id, key in store.open_uploads().items():
        if upload_id not in before:
            store.client().abort_multipart_upload(Bucket=store.bucket, Key=key, UploadId=upload_id)


def test_a_record_that_does_not_take_a_change_is_logged_and_the_file_is_there(owner, draft, caplog):
    upload = begin(owner, draft, "a", 3).get_json()
    send(upload, b"abc")

    def refuse(sender, **kwargs):
        raise ValueError("not today")

    with before_record_update.connected_to(refuse):
        done = owner.post(upload["complete_url"])
    assert (done.status_code, done.get_json()["state"]) == (200, "completed")
    assert [r.action for r in caplog.records if hasattr(r, "action")] == ["record_not_refreshed"]
    assert draft.listed["a"]["checksum"] is None
    assert draft.record.files["a"].file.readable

    assert owner.post(upload["complete_url"]).status_code == 200
    assert draft.listed["a"]["checksum"] == draft.record.files["a"].file.checksum


def test_a_database_that_goes_away_before_the_record_is_written_is_said_to_be_away(owner, draft):
    upload = begin(owner, draft, "a", 3).get_json()
    send(upload, b"abc")

    def fail(sender, **kwargs):
        raise OperationalError("UPDATE", {}, Exception("gone"))

    with before_record_update.connected_to(fail):
        done = owner.post(upload["complete_url"])
    assert (done.status_code, done.get_json()["code"]) == (503, "database_unavailable")

    assert owner.post(upload["complete_url"]).status_code == 200
    assert draft.listed["a"]["checksum"] == draft.record.files["a"].file.checksum


@pytest.mark.parametrize("body", [{"parts": [{"PartNumber": 1}]}, {"parts": 3}, []])
def test_a_wrong_body_of_complete_is_a_clear_refusal(owner, draft, body):
    upload = begin(owner, draft, "a", 3).get_json()
    answer = owner.post(upload["complete_url"], json=body)
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")
    assert get_upload(UUID(upload["id"])).state == "pending"
    assert owner.post(upload["abort_url"]).status_code == 200


def test_parts_that_were_not_sent_are_named(owner, draft):
    upload = begin(owner, draft, "a", 3).get_json()
    answer = owner.post(upload["complete_url"])
    assert (answer.status_code, answer.get_json()["code"]) == (400, "missing_parts")
    assert owner.post(upload["abort_url"]).status_code == 200


def test_a_draft_without_a_bucket_has_no_uploads(owner, draft):
    bare = Draft(with_bucket=False, put=[owner.user_id])
    answer = owner.post(f"{bare.address}/files/a/complete-multipart")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "upload_not_found")
