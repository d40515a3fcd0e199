# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Mistakes of clients: each a 4xx with a stable code, and nothing is lost by it."""

from __future__ import annotations

import os
import uuid

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket

from ..people import NOWHERE, cut, put, send_parts

PART = 5 * 2**20


@pytest.mark.parametrize(
    ("change", "code", "status"),
    [
        ({"bucket": NOWHERE}, "bucket_not_found", 404),
        ({"bucket": "no-uuid"}, "invalid_request", 400),
        ({"bucket": None}, "invalid_request", 400),
        ({"bucket": ...}, "invalid_request", 400),
        ({"key": ...}, "invalid_request", 400),
        ({"key": ""}, "invalid_key", 400),
        ({"key": 5}, "invalid_request", 400),
        ({"key": "x" * 256}, "invalid_key", 400),
        ({"key": "a\x00b"}, "invalid_key", 400),
        ({"key": "a\r\nSet-Cookie: b"}, "invalid_key", 400),
        ({"key": "\ud800"}, "invalid_key", 400),
        ({"key": "a\x9fb"}, "invalid_key", 400),
        ({"key": "a\u2028b"}, "invalid_key", 400),
        ({"key": "a\u202egpj.exe"}, "invalid_key", 400),
        ({"size": ...}, "invalid_request", 400),
        ({"size": -1}, "invalid_size", 400),
        ({"size": 5 * 2**40 + 1}, "invalid_size", 400),
        ({"size": 10**30}, "invalid_request", 400),
        ({"size": 1.5}, "invalid_request", 400),
        ({"size": "12"}, "invalid_request", 400),
        ({"size": True}, "invalid_request", 400),
        ({"size": None}, "invalid_request", 400),
        ({"part_size": 0}, "invalid_size", 400),
        ({"part_size": -5}, "invalid_size", 400),
        ({"part_size": "big"}, "invalid_request", 400),
        ({"content_type": "no type"}, "invalid_request", 400),
        ({"content_type": "text/plain\r\nX-Evil: 1"}, "invalid_request", 400),
        ({"content_type": "text/" + "x" * 300}, "invalid_request", 400),
        ({"checksum": "nonsense"}, "invalid_request", 400),
        ({"checksum": "a:b:c"}, "invalid_request", 400),
        ({"surprise": 1}, "invalid_request", 400),
    ],
)
def test_an_upload_that_cannot_be_opened_is_refused(uploader, bucket, change, code, status):
    body = {"bucket": str(bucket.id), "key": "a", "size": 7, **change}
    answer = uploader.post(
        "/multipart-uploads", json={name: v for name, v in body.items() if v is not ...}
    )
    error = answer.get_json()
    assert (answer.status_code, error["code"], error["status"]) == (status, code, status)
    assert error["message"].endswith(".")
    assert Bucket.get(bucket.id).size == 0


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe", b"{}" * 2])
def test_a_body_that_is_no_json_object_is_refused(uploader, body):
    answer = uploader.post("/multipart-uploads", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


@pytest.mark.parametrize("upload_id", [NOWHERE, "no-uuid", "1"])
@pytest.mark.parametrize(
    ("method", "rest"),
    [
        ("get", ""),
        ("delete", ""),
        ("get", "/urls?parts=1"),
        ("get", "/parts"),
        ("post", "/complete"),
    ],
)
def test_an_unknown_upload_is_not_found(uploader, upload_id, method, rest):
    answer = getattr(uploader, method)(f"/multipart-uploads/{upload_id}{rest}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "upload_not_found")


@pytest.mark.parametrize(
    ("parts", "code"),
    [
        ("", "invalid_request"),
        ("0", "part_out_of_range"),
        ("4", "part_out_of_range"),
        ("10001", "part_out_of_range"),
        ("1-10001", "part_out_of_range"),
        ("-1", "invalid_request"),
        ("3-1", "invalid_request"),
        ("1,,2", "invalid_request"),
        ("one", "invalid_request"),
        ("99999999999999999999", "invalid_request"),
        ("٣", "invalid_request"),
    ],
)
def test_part_numbers_that_do_not_exist_are_refused(uploader, bucket, parts, code):
    upload = uploader.begin(bucket, "a", 2 * PART + 1, part_size=PART)
    answer = uploader.get(upload["links"]["urls"], query_string={"parts": parts})
    assert (answer.status_code, answer.get_json()["code"]) == (400, code)


def test_too_many_urls_at_once_are_refused(uploader, bucket):
    upload = uploader.begin(bucket, "a", 2000 * PART, part_size=PART)
    answer = uploader.get(upload["links"]["urls"], query_string={"parts": "1-1001"})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "too_many_parts")
    answer = uploader.get(upload["links"]["urls"], query_string={"parts": "1-1000"})
    assert len(answer.get_json()["urls"]) == 1000


@pytest.mark.parametrize("after", ["-1", "x", "1" * 30])
def test_a_bad_page_of_parts_is_refused(uploader, bucket, after):
    upload = uploader.begin(bucket, "a", 1)
    answer = uploader.get(upload["links"]["parts"], query_string={"after": after})
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


def wrong_etag(parts):
    parts[0]["ETag"] = '"' + "0" * 32 + '"'


def forget_one(parts):
    del parts[1]


def invent_one(parts):
    parts.append({"PartNumber": 4, "ETag": "x"})


def part_zero(parts):
    parts.append({"PartNumber": 0, "ETag": "x"})


def beyond_all(parts):
    parts.append({"PartNumber": 10001, "ETag": "x"})


def contradict(parts):
    parts.append({"PartNumber": 1, "ETag": "x"})


def no_number(parts):
    del parts[0]["PartNumber"]


def text_number(parts):
    parts[0]["PartNumber"] = "1"


def no_etag(parts):
    del parts[0]["ETag"]


def strings(parts):
    parts[:] = ["1", "2"]


@pytest.mark.parametrize(
    ("mistake", "code"),
    [
        (wrong_etag, "etag_mismatch"),
        (forget_one, "missing_parts"),
        (invent_one, "part_out_of_range"),
        (part_zero, "part_out_of_range"),
        (beyond_all, "part_out_of_range"),
        (contradict, "invalid_request"),
        (no_number, "invalid_request"),
        (text_number, "invalid_request"),
        (no_etag, "invalid_request"),
        (strings, "invalid_request"),
    ],
)
def test_a_wrong_list_of_parts_is_refused_and_the_right_one_completes(
    uploader, bucket, mistake, code
):
    content = os.urandom(2 * PART + 1)
    upload = uploader.begin(bucket, "a", len(content), part_size=PART)
    right = send_parts(upload, content)
    wrong = [dict(part) for part in right]
    mistake(wrong)

    answer = uploader.complete(upload, json={"parts": wrong})

    assert (answer.status_code, answer.get_json()["code"]) == (400, code)
    assert uploader.get(upload["links"]["self"]).get_json()["state"] == "pending"
    assert uploader.complete(upload, json={"parts": right}).status_code == 200


@pytest.mark.parametrize(
    ("part", "content", "code"),
    [
        (1, None, "missing_parts"),
        (1, b"x" * (PART - 1), "part_size_mismatch"),
        (1, b"x" * (PART + 1), "part_size_mismatch"),
        (3, b"xy", "part_size_mismatch"),
        (3, b"", "part_size_mismatch"),
    ],
    ids=["missing", "smaller", "larger", "total-larger", "total-smaller"],
)
def test_a_wrong_part_is_refused_and_its_right_form_completes(
    uploader, bucket, part, content, code
):
    good = os.urandom(2 * PART + 1)
    upload = uploader.begin(bucket, "a", len(good), part_size=PART)
    send_parts(upload, good, only=tuple({1, 2, 3} - {part}))
    url = upload["urls"][part - 1]["url"]
    if content is not None:
        put(url, content)

    answer = uploader.complete(upload)

    error = answer.get_json()
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["errors"][0]["field"] == f"parts.{part}"
    put(url, cut(upload, good, part))
    assert uploader.complete(upload).status_code == 200
    assert uploader.download(bucket, "a").status_code == 302


def test_a_locked_bucket_takes_no_upload_and_completes_when_it_is_unlocked(uploader, bucket):
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    set_locked(bucket, True)

    refused = uploader.complete(upload)
    begun = uploader.post(
        "/multipart-uploads", json={"bucket": str(bucket.id), "key": "b", "size": 1}
    )

    assert (refused.status_code, refused.get_json()["code"]) == (403, "bucket_locked")
    assert (begun.status_code, begun.get_json()["code"]) == (403, "bucket_locked")
    set_locked(bucket, False)
    assert uploader.complete(upload).status_code == 200


def test_an_ended_upload_takes_nothing_more(uploader, bucket):
    upload = uploader.begin(bucket, "a", 3)
    uploader.delete(upload["links"]["abort"])
    for answer in (
        uploader.complete(upload),
        uploader.get(upload["links"]["urls"], query_string={"parts": "1"}),
        uploader.get(upload["links"]["parts"]),
    ):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_not_pending")
    done = uploader.upload(bucket, "b", b"abc")
    answer = uploader.delete(done["links"]["abort"])
    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_not_pending")


def test_an_expired_upload_gets_no_urls_and_still_completes_until_it_is_swept(uploader, bucket):
    from oarepo_s3.core.times import utcnow
    from oarepo_s3.models import Upload

    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    db.session.get(Upload, uuid.UUID(upload["id"])).expires_at = utcnow()
    db.session.commit()

    answer = uploader.get(upload["links"]["urls"], query_string={"parts": "1"})

    assert (answer.status_code, answer.get_json()["code"]) == (410, "upload_expired")
    assert uploader.complete(upload).status_code == 200


@pytest.mark.parametrize(
    "query", ["state=nonsense", "bucket=x", "page=0", "page=x", "page=99999999999999"]
)
def test_a_bad_query_of_the_list_is_refused(uploader, query):
    answer = uploader.get(f"/multipart-uploads?{query}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


def set_locked(bucket, locked):
    db.session.get(Bucket, bucket.id).locked = locked
    db.session.commit()
