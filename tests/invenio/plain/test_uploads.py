# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads to a record's files: begin, parts, complete, abort, and what the record says of them."""

from __future__ import annotations

import hashlib
import os
import warnings

import pytest
from flask import g
from invenio_app.factory import create_ui
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion
from invenio_records_files.models import RecordsBuckets

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import sweep_expired, verify_declared
from oarepo_s3.signals import after_upload_complete
from tests.invenio.test_storage import PART
from tests.people import put

from .conftest import send

CONTENT = os.urandom(PART + 7)


def entry(record, key="data.bin"):
    """What the record's JSON has to say of a file."""
    version = ObjectVersion.get(record.bucket, key)
    return {
        "bucket": str(record.bucket.id),
        "checksum": version.file.checksum,
        "file_id": str(version.file_id),
        "key": key,
        "size": version.file.size,
        "version_id": str(version.version_id),
    }


@pytest.mark.parametrize("body", [False, True], ids=["no body", "parts"])
@pytest.mark.parametrize("address", ["complete-multipart", "{id}/complete"])
def test_a_file_is_uploaded_and_read(author, record_of, body, address):
    session = author.begin_file("data.bin", len(CONTENT), content_type="text/x-test")
    parts = send(session, CONTENT)
    assert len(parts) == session["num_parts"] == 2
    link = author.file("data.bin", "complete-multipart")
    assert session["complete_url"] == link
    bucket = record_of(author).bucket
    for unreadable in (author.file("data.bin"), f"/files/{bucket.id}/data.bin"):
        assert author.get(unreadable).status_code == 503

    answer = author.post(
        author.file("data.bin", address.format(id=session["id"])),
        **({"json": {"parts": parts}} if body else {}),
    )

    assert (answer.status_code, answer.get_json()["state"]) == (200, "completed")
    record = record_of(author)
    link = RecordsBuckets.query.filter_by(record_id=record.id).one()
    assert str(link.bucket_id) == answer.get_json()["bucket"] == record["_bucket"]
    file = record.files["data.bin"]
    assert (file.obj.file.readable, file.obj.mimetype) == (True, "text/x-test")
    assert file.get("checksum") == answer.get_json()["file"]["checksum"]
    assert author.content(author.file("data.bin")) == CONTENT
    assert author.content(f"/files/{bucket.id}/data.bin") == CONTENT
    assert Bucket.get(bucket.id).size == len(CONTENT)


def test_the_record_says_what_became_of_the_file(author, record_of):
    session = author.begin_file("data.bin", len(CONTENT))
    assert author.listed() == [entry(record_of(author))]
    assert author.listed()[0]["checksum"] is None
    assert author.listed()[0]["size"] == len(CONTENT)

    send(session, CONTENT)
    file = author.post(session["complete_url"]).get_json()["file"]

    assert author.listed() == [entry(record_of(author))]
    assert author.listed()[0]["checksum"] == file["checksum"]
    assert file["checksum"].startswith("multipart:")


@pytest.fixture
def no_receiver(plain, app):
    """An application that does not hear of uploads that were completed."""
    after_upload_complete.disconnect(plain.refresh_files, sender=app)
    yield
    after_upload_complete.connect(plain.refresh_files, sender=app)


def test_without_the_receiver_the_record_says_it_when_completed_by_its_own_call(
    author, record_of, no_receiver
):
    author.upload_file("data.bin", CONTENT)
    assert author.listed() == [entry(record_of(author))]
    assert author.listed()[0]["checksum"].startswith("multipart:")


def test_without_the_receiver_the_record_says_it_at_the_next_assignment(
    author, record_of, no_receiver
):
    session = author.begin_file("data.bin", len(CONTENT))
    send(session, CONTENT)
    # The REST API knows nothing of records.
    file = author.post(f"/multipart-uploads/{session['id']}/complete").get_json()["file"]
    assert author.listed()[0]["checksum"] is None
    assert record_of(author).files["data.bin"].obj.file.checksum == file["checksum"]
    author.begin_file("other.bin", 1)
    assert author.listed()[0]["checksum"] == file["checksum"]


@pytest.mark.parametrize("method", ["post", "delete"])
@pytest.mark.parametrize("address", ["abort-multipart", "{id}/abort"])
def test_an_aborted_file_is_gone_from_record_and_bucket(author, record_of, store, method, address):
    session = author.begin_file("data.bin", len(CONTENT))
    put(session["part_urls"][0], CONTENT[:PART])
    assert session["abort_url"] == author.file("data.bin", "abort-multipart")

    for _ in range(2):
        answer = getattr(author, method)(author.file("data.bin", address.format(id=session["id"])))
        assert answer.status_code == {"post": 200, "delete": 204}[method]

    record = record_of(author)
    assert (len(record.files), record["_files"], author.listed()) == (0, [], [])
    assert Bucket.get(record.bucket.id).size == 0
    assert author.get(author.file("data.bin")).status_code == 404
    assert author.post(session["complete_url"]).get_json()["code"] == "upload_not_pending"
    uri = Upload.query.filter_by(bucket_id=record.bucket.id).one().uri
    key = uri.removeprefix(f"s3://{store.bucket}/")
    assert store.open_uploads(key) == {}
    author.upload_file("data.bin", CONTENT)
    assert author.content(author.file("data.bin")) == CONTENT


@pytest.fixture
def worker(app, app_config, db_uri):
    """The application of a Celery worker, which is not that of the REST API."""
    with warnings.catch_warnings():
        return create_ui(**{**app_config, "SQLALCHEMY_DATABASE_URI": db_uri})


def test_the_record_forgets_a_file_that_the_sweep_has_dropped(author, record_of, worker):
    session = author.begin_file("data.bin", 3)
    Upload.query.filter_by(bucket_id=session["bucket"]).update({"expires_at": utcnow()})
    db.session.commit()

    with worker.app_context():
        assert sweep_expired().aborted == 1

    assert author.listed() == []
    assert len(record_of(author).files) == 0


def test_the_record_has_the_checksum_that_was_verified_later(author, record_of, worker):
    declared = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
    session = author.begin_file("data.bin", len(CONTENT), checksum=declared)
    send(session, CONTENT)
    file = author.post(session["complete_url"]).get_json()["file"]
    assert author.listed()[0]["checksum"] == file["checksum"] != declared
    db.session.commit()  # what was read here would keep SQLite's writers out

    with worker.app_context():
        assert verify_declared().verified == 1

    assert author.listed() == [entry(record_of(author))]
    assert author.listed()[0]["checksum"] == declared


def test_the_record_forgets_a_file_that_the_store_has_lost(author, record_of, store):
    session = author.begin_file("data.bin", 3)
    upload = Upload.query.filter_by(bucket_id=session["bucket"]).one()
    store.client().abort_multipart_upload(
        Bucket=store.bucket,
        Key=upload.uri.removeprefix(f"s3://{store.bucket}/"),
        UploadId=upload.store_upload_id,
    )

    answer = author.post(session["complete_url"])

    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_lost")
    assert author.listed() == []
    assert len(record_of(author).files) == 0


def test_a_new_version_takes_the_key_at_once_and_the_old_one_stays_readable(author, record_of):
    old = author.upload_file("data.bin", CONTENT)["file"]
    session = author.begin_file("data.bin", 3)

    assert author.get(author.file("data.bin")).status_code == 503
    assert author.listed() == [entry(record_of(author))]
    assert (author.listed()[0]["checksum"], author.listed()[0]["size"]) == (None, 3)
    older = record_of(author).files["data.bin"].get_version(old["version_id"])
    assert (older.is_head, older.file.readable) == (False, True)
    send(session, b"new")
    assert author.post(session["complete_url"]).status_code == 200

    assert author.content(author.file("data.bin")) == b"new"
    assert author.listed() == [entry(record_of(author))]
    older = record_of(author).files["data.bin"].get_version(old["version_id"])
    assert (older.is_head, older.file.readable) == (False, True)
    assert Bucket.get(session["bucket"]).size == len(CONTENT) + 3


def test_after_an_abort_the_old_version_is_the_file_again(author, record_of):
    old = author.upload_file("data.bin", CONTENT)["file"]
    before = author.listed()
    session = author.begin_file("data.bin", 3)

    assert author.delete(session["abort_url"]).status_code == 204

    assert author.listed() == before == [entry(record_of(author))]
    assert before[0]["version_id"] == old["version_id"]
    assert author.content(author.file("data.bin")) == CONTENT
    assert Bucket.get(session["bucket"]).size == len(CONTENT)


def remove(record, key="data.bin"):
    """Remove a file as code does."""
    del record.files[key]
    record.commit()
    db.session.commit()
    # The test's own context is that of the requests too, and has by now an anonymous user.
    g.pop("_login_user", None)


def test_a_file_that_was_removed_meanwhile_stays_removed_when_completed(author, record_of):
    session = author.begin_file("data.bin", len(CONTENT))
    send(session, CONTENT)
    remove(record_of(author))
    assert author.listed() == []

    answer = author.post(session["complete_url"])

    assert (answer.status_code, answer.get_json()["state"]) == (200, "completed")
    assert (author.listed(), len(record_of(author).files)) == ([], 0)
    assert author.get(author.file("data.bin")).status_code == 404
    assert Bucket.get(session["bucket"]).size == 0


def test_an_upload_is_aborted_when_its_file_was_removed_meanwhile(author, record_of):
    session = author.begin_file("data.bin", len(CONTENT))
    remove(record_of(author))

    assert author.post(session["abort_url"]).get_json()["state"] == "aborted"

    assert (author.listed(), len(record_of(author).files)) == ([], 0)
    assert Bucket.get(session["bucket"]).size == 0


def test_of_two_uploads_of_a_key_the_newer_is_the_file(author, record_of):
    older, newer = (author.begin_file("data.bin", 3) for _ in range(2))
    send(older, b"old")
    send(newer, b"new")

    # Without an id: the newest that is open.
    assert author.post(older["complete_url"]).get_json()["id"] == newer["id"]
    assert author.content(author.file("data.bin")) == b"new"
    assert author.post(older["complete_url"]).get_json()["id"] == older["id"]

    assert author.content(author.file("data.bin")) == b"new"
    assert author.listed() == [entry(record_of(author))]
    # Both have ended: again the newest.
    assert author.post(older["complete_url"]).get_json()["id"] == newer["id"]


def test_two_uploads_of_a_key_are_ended_by_their_ids(author, record_of):
    older, newer = (author.begin_file("data.bin", 3) for _ in range(2))
    send(older, b"old")

    assert author.delete(author.file("data.bin", f"{newer['id']}/abort")).status_code == 204
    assert author.post(author.file("data.bin", f"{older['id']}/complete")).status_code == 200

    assert author.content(author.file("data.bin")) == b"old"
    assert author.listed() == [entry(record_of(author))]


def test_parts_are_listed_and_signed_by_the_id_of_the_upload(author):
    session = author.begin_file("data.bin", 2 * PART + 1)
    base = author.file("data.bin", session["id"])

    signed = author.get(f"{base}/1,3/presigned")
    assert [item["part"] for item in signed.get_json()["urls"]] == [1, 3]
    put(signed.get_json()["urls"][1]["url"], b"x")

    listed = author.get(f"{base}/parts").get_json()["parts"]
    assert [(part["part"], part["size"]) for part in listed] == [(3, 1)]


@pytest.mark.parametrize("key", ["a b+c(1)&d.bin", "změřená.csv", "100%.txt", "a#b?c"])
def test_the_links_of_a_session_lead_to_any_name(author, key):
    session = author.begin_file(key, 3)
    send(session, b"abc")

    assert author.post(session["complete_url"]).get_json()["key"] == key

    assert [file["key"] for file in author.listed()] == [key]
