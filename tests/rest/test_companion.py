# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Companion's routes as Uppy calls them, from the first part to the last."""

from __future__ import annotations

import json
import os
import uuid

import pytest
from flask import Response
from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.core.times import utcnow
from oarepo_s3.services import get_upload
from oarepo_s3.views.companion import PHRASE_LENGTH, say_in_status

from ..people import NOWHERE, http
from .uppy import PART


def test_a_file_goes_up_as_uppy_sends_it(uppy, uploader, bucket):
    content = os.urandom(PART + 3)

    created = uppy.create("some file.bin", len(content))

    assert created == {
        "key": "some file.bin",
        "uploadId": created["uploadId"],
        "bucket": str(bucket.id),
    }
    parts = uppy.send(created, content)
    assert uppy.list(created).get_json() == [
        {"PartNumber": 1, "ETag": parts[0]["ETag"], "Size": PART},
        {"PartNumber": 2, "ETag": parts[1]["ETag"], "Size": 3},
    ]
    done = uppy.complete(created, parts)
    assert (done.status_code, set(done.get_json())) == (200, {"location", "key", "bucket"})
    assert done.get_json()["location"].endswith(f"/files/{bucket.id}/some%20file.bin")
    session = uploader.get(f"/multipart-uploads/{created['uploadId']}").get_json()
    assert session["file"]["links"] == {"content": done.get_json()["location"]}
    redirect = uploader.get(done.get_json()["location"])
    assert http.request("GET", redirect.headers["Location"]).data == content
    assert Bucket.get(bucket.id).size == len(content)


def refused(answer, status, code):
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    return answer.get_json()["message"]


def test_several_parts_are_signed_in_one_call(uppy):
    created = uppy.create("a", 2 * PART)
    signed = uppy.of(created, "/batch", partNumbers="2,1").get_json()
    assert set(signed) == {"presignedUrls"}
    assert set(signed["presignedUrls"]) == {"1", "2"}
    for url in signed["presignedUrls"].values():
        assert http.request("PUT", url, body=bytes(PART)).status == 200
    assert [part["PartNumber"] for part in uppy.list(created).get_json()] == [1, 2]


def test_a_url_says_for_how_long_it_works(uppy, app, monkeypatch):
    created = uppy.create("a", 3)
    assert 86_390 <= uppy.sign(created, 1).get_json()["expires"] <= 86_400
    monkeypatch.setitem(app.config, "OAREPO_S3_PART_URL_LIFETIME", 60)
    assert 50 <= uppy.sign(created, 1).get_json()["expires"] <= 60


@pytest.mark.parametrize("part", ["0", "3", "x", "1-2", "-1", "1,2", "99999999"])
def test_only_a_part_of_the_upload_is_signed(uppy, part):
    created = uppy.create("a", 2 * PART)
    answer = uppy.sign(created, part)
    assert answer.status_code == 400
    assert "url" not in answer.get_json()


@pytest.mark.parametrize("asked", ["", "x", "0", "1,3", None])
def test_only_parts_of_the_upload_are_signed_at_once(uppy, asked):
    created = uppy.create("a", 2 * PART)
    query = {} if asked is None else {"partNumbers": asked}
    assert uppy.of(created, "/batch", **query).status_code == 400


def test_the_key_has_to_be_the_one_that_was_given(uppy):
    created = uppy.create("a", 3)
    calls = [("GET", ""), ("GET", "/1"), ("GET", "/batch"), ("POST", "/complete"), ("DELETE", "")]
    for wrong in ({"key": "b"}, {"key": ""}, {}):
        for method, rest in calls:
            address = f"/multipart/{created['uploadId']}{rest}"
            refused(uppy.call(method, address, **wrong), 400, "invalid_request")
    assert uppy.sign(created, 1).status_code == 200


@pytest.mark.parametrize("upload_id", [NOWHERE, "x", "..", "%00"])
def test_an_upload_that_there_is_not(uppy, upload_id):
    refused(uppy.sign({"uploadId": upload_id, "key": "a"}, 1), 404, "upload_not_found")


@pytest.mark.parametrize(
    "body",
    [
        {"filename": "a", "type": "text/plain", "metadata": {}},
        {"filename": "a", "type": "text/plain", "metadata": {"size": None}},
        {"filename": "a", "type": "text/plain"},
    ],
    ids=str,
)
def test_a_page_that_tells_no_size_is_told_what_it_lacks(uppy, bucket, body):
    answer = uppy.call("POST", "/multipart", json=body)
    assert "setFileMeta" in refused(answer, 400, "invalid_request")
    # All that Uppy 6 shows of an answer.
    assert "uppy.setFileMeta(file.id, { size: file.size })" in answer.status
    assert Bucket.get(bucket.id).size == 0


@pytest.mark.parametrize(
    "metadata",
    [{"size": "-1"}, {"size": "1.5"}, {"size": 1.5}, {"size": True}, {"size": [1]}, {"size": "٣"},
     {"size": 3, "part_size": 0}, {"size": 3, "part_size": "x"}, {"size": "9" * 30}],
    ids=str,
)  # fmt: skip
def test_what_is_no_size_is_refused(uppy, metadata):
    refused(uppy.ask("a", **metadata), 400, "invalid_request")


def test_uppy_5_makes_text_of_all_metadata(uppy, bucket):
    created = uppy.create("a", str(PART + 1), part_size=str(2 * PART))
    upload = get_upload(uuid.UUID(created["uploadId"]))
    assert (upload.size, upload.part_size, upload.num_parts) == (PART + 1, 2 * PART, 1)


@pytest.mark.parametrize(
    ("filename", "status"),
    [("příliš žluťoučký 🐎.bin", 200), ("a+b (1)&c=d?#%.bin", 200), ("dir/file", 200),
     ("", 400), ("a\nb", 400), ("/a", 400), ("a" * 256, 400)],
)  # fmt: skip
def test_names_go_all_the_way_or_are_refused(uppy, uploader, filename, status):
    if status == 400:
        refused(uppy.ask(filename, size=3), 400, "invalid_key")
        return
    done = uppy.upload(filename, b"abc")
    assert done["key"] == filename
    redirect = uploader.get(done["location"])
    assert http.request("GET", redirect.headers["Location"]).data == b"abc"


@pytest.mark.parametrize("kind", ["text/plain", "", None, "text/plain;charset=utf-8"])
def test_the_type_is_kept_or_there_is_none(uppy, kind):
    body = {"filename": "a", "type": kind, "metadata": {"size": 3}}
    created = uppy.call("POST", "/multipart", json=body).get_json()
    assert get_upload(uuid.UUID(created["uploadId"])).content_type == (kind or None)


def test_an_empty_file_of_uppy_5(uppy, uploader):
    done = uppy.upload("empty", b"")
    redirect = uploader.get(done["location"])
    assert http.request("GET", redirect.headers["Location"]).data == b""


def test_complete_and_cancel_may_be_repeated(uppy, bucket):
    created = uppy.create("a", PART + 3)
    parts = uppy.send(created, bytes(PART + 3))
    first = uppy.complete(created, parts)
    assert (first.status_code, uppy.complete(created, parts).get_json()) == (200, first.get_json())
    # Who lost the answer asks for the parts before completing again.
    listed = uppy.list(created).get_json()
    assert [(part["PartNumber"], part["Size"]) for part in listed] == [(1, PART), (2, 3)]
    again = [{"PartNumber": part["PartNumber"], "ETag": part["ETag"]} for part in listed]
    assert uppy.complete(created, again).get_json() == first.get_json()
    refused(uppy.abort(created), 409, "upload_not_pending")

    other = uppy.create("b", 3)
    for _ in range(2):
        assert (uppy.abort(other).status_code, uppy.abort(other).get_json()) == (200, {})
    refused(uppy.sign(other, 1), 409, "upload_not_pending")
    refused(uppy.list(other), 409, "upload_not_pending")
    assert Bucket.get(bucket.id).size == PART + 3


def test_what_the_client_claims_is_compared_with_the_store(uppy):
    created = uppy.create("a", PART + 3)
    parts = uppy.send(created, bytes(PART + 3))
    refused(uppy.complete(created, parts[:1]), 400, "missing_parts")
    wrong = [parts[0], {**parts[1], "ETag": "0" * 32}]
    answer = uppy.complete(created, wrong)
    refused(answer, 400, "etag_mismatch")
    assert answer.status.startswith("400 Parts whose ETag is not what the store has: 2.")
    quoted = [{**part, "ETag": f'"{part["ETag"]}"'} for part in parts]
    assert uppy.complete(created, quoted).status_code == 200


@pytest.mark.parametrize(
    ("limits", "code"), [({"quota_size": 10}, "quota_exceeded"), ({"max_file_size": 10},
     "file_too_large"), ({"locked": True}, "bucket_locked")],
)  # fmt: skip
def test_what_the_bucket_does_not_take_is_said_where_uppy_shows_it(uppy, bucket, limits, code):
    for name, value in limits.items():
        setattr(bucket, name, value)
    db.session.commit()
    answer = uppy.ask("a", size=11)
    message = refused(answer, 403 if code == "bucket_locked" else 400, code)
    assert answer.status == f"{answer.status_code} {message}"


def test_an_upload_whose_time_is_over(uppy):
    created = uppy.create("a", 3)
    get_upload(uuid.UUID(created["uploadId"])).expires_at = utcnow()
    db.session.commit()
    refused(uppy.sign(created, 1), 410, "upload_expired")


def test_a_sentence_becomes_one_line_of_ascii():
    body = json.dumps({"message": "né\r\nX: y " + "a" * 999})
    response = Response(body, status=400, mimetype="application/json")
    assert say_in_status(response).status == "400 n???X: y " + "a" * (PHRASE_LENGTH - 9)


def test_all_parts_are_listed_however_many_pages_the_store_has(uppy):
    count = 1003
    created = uppy.create("a", count * PART)
    for numbers in (range(1, 1001), range(1001, count + 1)):
        asked = ",".join(map(str, numbers))
        urls = uppy.of(created, "/batch", partNumbers=asked).get_json()["presignedUrls"]
        for number, url in urls.items():
            assert http.request("PUT", url, body=number.encode()).status == 200
    listed = uppy.list(created).get_json()
    assert [part["PartNumber"] for part in listed] == list(range(1, count + 1))
    assert {part["Size"] for part in listed} == {1, 2, 3, 4}
