# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The storage class: uploads by assignment, and everything else as invenio-s3 does it."""

from __future__ import annotations

import io
import os
import uuid

import pytest
from invenio_db import db
from invenio_files_rest.errors import FileInstanceUnreadableError, FileSizeError, StorageError
from invenio_files_rest.models import Bucket, FileInstance, Location, ObjectVersion
from invenio_files_rest.tasks import remove_file_data
from werkzeug.http import parse_options_header

from oarepo_s3.api import MultipartUpload
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.errors import InvalidLocation
from oarepo_s3.models import Upload
from oarepo_s3.services import complete_upload, get_upload
from oarepo_s3.storage import S3FileStorage

from ..people import http, key_of, put

PART = 5 * 2**20


def assign(bucket, key, size, **more):
    """Begin an upload by assignment."""
    upload = MultipartUpload(key, bucket.location.uri, 3600, size, part_size=PART, **more)
    version = ObjectVersion.create(bucket, key, stream=upload)
    db.session.commit()
    return upload, version


def send(session, content):
    """Send all parts."""
    for index, url in enumerate(session.part_urls):
        put(url, content[index * session.part_size :][: session.part_size])


def finish(session):
    """Complete."""
    return complete_upload(get_upload(uuid.UUID(session.id)))


def test_an_assigned_upload_is_unreadable_until_completed(bucket):
    content = os.urandom(PART + 7)
    upload, version = assign(bucket, "data.bin", len(content), content_type="text/x-test")
    file = version.file
    assert (file.readable, file.writable, file.size) == (False, True, len(content))
    assert version.mimetype == "text/x-test"
    assert Bucket.get(bucket.id).size == len(content)
    with pytest.raises(FileInstanceUnreadableError):
        version.send_file()

    send(upload.session, content)
    finish(upload.session)

    assert (file.readable, file.writable) == (True, False)
    assert http.request("GET", version.send_file().headers["Location"]).data == content
    assert Bucket.get(bucket.id).size == len(content)
    assert file.verify_checksum()


def test_the_session_answers_to_the_names_of_old_uploaders(bucket):
    upload, _ = assign(bucket, "a", 2 * PART, complete_url="/done", abort_url="/stop")
    session = upload.session
    assert session["chunk_size"] == session.part_size == PART
    assert session["num_chunks"] == session.num_parts == 2
    assert session["upload_id"] == session.id
    assert session["finish_url"] == session.complete_url == "/done"
    assert session.abort_url == "/stop"
    assert len(session["parts_url"]) == 2
    assert key_of(session["parts_url"][1]) == key_of(session.part_urls[0])
    assert set(dict(session)) == set(session)
    with pytest.raises(KeyError):
        session["token"]


def test_the_session_names_the_rest_api_when_the_caller_gives_no_addresses(app, bucket):
    app.config["SITE_API_URL"] = "https://repo.example.org/api"
    try:
        upload, _ = assign(bucket, "a", 1)
    finally:
        del app.config["SITE_API_URL"]
    address = f"https://repo.example.org/api/multipart-uploads/{upload.session.id}"
    assert upload.session.complete_url == f"{address}/complete"
    assert upload.session.abort_url == address


def test_part_urls_are_signed_when_they_are_looked_at(bucket, monkeypatch):
    signers = []
    original = S3Store.part_signer

    def spy(self, *args, **kwargs):
        signers.append(args)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(S3Store, "part_signer", spy)
    upload, _ = assign(bucket, "a", 10_000 * PART)
    urls = upload.session.part_urls
    assert (len(urls), signers) == (10_000, [])
    assert "partNumber=10000&" in urls[-1]
    assert [f"partNumber={n}&" in url for n, url in zip((4, 5), urls[3:5], strict=True)] == [
        True,
        True,
    ]
    assert len(upload.session.to_dict()["part_urls"]) == 25
    signers.clear()
    assert len(list(urls)) == 10_000
    assert len(signers) == 1


def test_a_rolled_back_assignment_leaves_no_row(bucket):
    upload = MultipartUpload("a", bucket.location.uri, 3600, 10)
    ObjectVersion.create(bucket, "a", stream=upload)
    db.session.rollback()
    assert Upload.query.filter_by(bucket_id=bucket.id).count() == 0
    assert Bucket.get(bucket.id).size == 0


@pytest.mark.parametrize("limit", ["quota_size", "max_file_size"])
def test_no_room_is_the_error_that_callers_of_files_rest_know(bucket, limit):
    setattr(bucket, limit, 9)
    db.session.commit()
    with pytest.raises(FileSizeError) as refused:
        assign(bucket, "a", 10)
    db.session.rollback()
    assert refused.value.code == 400
    assert Bucket.get(bucket.id).size == 0


def test_a_file_without_a_version_cannot_be_uploaded(location):
    file = FileInstance.create()
    with pytest.raises(StorageError):
        file.set_contents(
            MultipartUpload("a", location.uri, 3600, 1), default_location=location.uri
        )
    db.session.rollback()


def test_a_multipart_upload_is_no_stream():
    with pytest.raises(TypeError, match="FILES_REST_STORAGE_FACTORY"):
        MultipartUpload("a", size=1).read()


def test_files_rest_can_delete_an_unfinished_file(bucket, store):
    upload, version = assign(bucket, "a", 10)
    file_id, key = version.file_id, key_of(upload.session.part_urls[0])
    version.remove()
    db.session.commit()

    remove_file_data.delay(str(file_id))

    assert FileInstance.get(file_id) is None
    assert "Contents" not in store.client().list_objects_v2(Bucket=store.bucket, Prefix=key)


@pytest.fixture(params=["", "file://"], ids=["path", "file-uri"])
def directory(database, request, tmp_path):
    """A bucket whose location is a directory."""
    place = Location(name=f"dir-{uuid.uuid4().hex[:8]}", uri=f"{request.param}{tmp_path}")
    db.session.add(place)
    in_directory = Bucket.create(location=place)
    db.session.commit()
    return in_directory


def test_a_location_that_is_a_directory_works_as_without_us(app, directory, tmp_path):
    version = ObjectVersion.create(directory, "a", stream=io.BytesIO(b"local"))
    db.session.commit()
    assert version.file.verify_checksum()
    with app.test_request_context():
        answer = version.send_file()
        answer.direct_passthrough = False
        assert (answer.status_code, answer.data) == (200, b"local")
        answer.close()
    version.file.storage().delete()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_directory_takes_no_multipart_upload(directory):
    with pytest.raises(InvalidLocation):
        assign(directory, "a", 10)
    db.session.rollback()
    assert ObjectVersion.get(directory.id, "a") is None


def test_a_stream_is_saved_as_invenio_s3_saves_it(bucket):
    content = os.urandom(6 * 2**20)
    version = ObjectVersion.create(bucket, "stream.txt", stream=io.BytesIO(content))
    db.session.commit()
    assert isinstance(version.file.storage(), S3FileStorage)
    assert version.file.checksum.startswith("md5:")
    assert version.file.verify_checksum()
    answer = version.send_file(restricted=False)
    assert answer.headers["Cache-Control"] == "public, max-age=30"
    assert http.request("GET", answer.headers["Location"]).data == content
    with version.file.storage().open() as stream:
        assert stream.read() == content


@pytest.mark.parametrize("damage", ["other bytes", "other order", "truncated", "gone"])
def test_a_changed_object_does_not_verify(bucket, store, damage):
    content = bytes(PART) + b"y" * PART
    upload, version = assign(bucket, "a", len(content))
    send(upload.session, content)
    finish(upload.session)
    assert version.file.verify_checksum()
    uri = version.file.uri.removeprefix(f"s3://{store.bucket}/")
    client = store.client()
    if damage == "gone":
        client.delete_object(Bucket=store.bucket, Key=uri)
        assert version.file.verify_checksum(throws=False) is None
        with pytest.raises(StorageError):
            version.file.verify_checksum()
        return
    changed = {
        "other bytes": content[:-1] + b"z",
        "other order": content[::-1],
        "truncated": content[:-1],
    }[damage]
    client.put_object(Bucket=store.bucket, Key=uri, Body=changed)
    assert version.file.verify_checksum() is False


def test_verification_reads_every_byte_and_reports_progress(bucket):
    content = os.urandom(PART + 3)
    upload, version = assign(bucket, "a", len(content))
    send(upload.session, content)
    finish(upload.session)
    seen = []
    assert version.file.verify_checksum(progress_callback=lambda size, done: seen.append(done))
    assert seen[-1] == len(content)


def test_a_redirection_that_cannot_be_made_is_the_error_of_invenio_s3(bucket, monkeypatch):
    def fail(*args, **kwargs):
        raise OSError("no")

    monkeypatch.setattr("invenio_s3.storage.redirect_stream", fail)
    version = ObjectVersion.create(bucket, "a", stream=io.BytesIO(b"a"))
    with pytest.raises(StorageError, match="Could not send file: no"):
        version.file.storage().send_file("a")
    db.session.rollback()


def test_names_and_types_of_downloads_are_right_and_harmless(bucket):
    html, _ = assign(bucket, "page příliš.html", 4, content_type="text/html")
    send(html.session, b"<b/>")
    finish(html.session)
    answer = ObjectVersion.get(bucket.id, "page příliš.html").send_file()
    got = http.request("GET", answer.headers["Location"])
    assert got.headers["Content-Type"].startswith("text/plain")
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a\r\nSet-Cookie: b=c.bin", "a__Set-Cookie: b=c.bin"),
        ("a\0\tb\x7f.bin", "a__b_.bin"),
        ("\ud800\u202egpj.bin", "__gpj.bin"),
        ('a"b\\c;filename=d.bin', 'a"b\\c;filename=d.bin'),
    ],
    ids=["line-break", "control", "direction", "quotes"],
)
def test_a_name_that_no_header_can_carry_is_downloaded_all_the_same(bucket, name, shown):
    file = ObjectVersion.create(bucket, "a", stream=io.BytesIO(b"abc")).file
    answer = file.storage().send_file(name)
    got = http.request("GET", answer.headers["Location"])
    assert got.data == b"abc"
    for headers in (answer.headers, got.headers):
        kind, options = parse_options_header(headers["Content-Disposition"])
        assert (kind, options["filename"]) == ("attachment", shown)
