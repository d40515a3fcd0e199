# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Requests that nobody sends by mistake: refused with a clear 4xx, never a crash."""

from __future__ import annotations

import pytest


def refusal(answer):
    """Status and code of an answer that has to be an error in JSON."""
    return answer.status_code, answer.get_json()["code"]


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"key":' * 100_000, b'{"size": ' + b"9" * 100_000 + b"}"]
)
def test_a_body_that_is_nested_or_long_beyond_reason_is_refused(uploader, bucket, body):
    upload = uploader.begin(bucket, "a", 3)
    for address in ("/multipart-uploads", upload["links"]["complete"]):
        answer = uploader.post(address, data=body, content_type="application/json")
        assert refusal(answer) == (400, "invalid_request")


def test_a_body_larger_than_the_server_takes_is_refused(app, uploader, bucket, monkeypatch):
    upload = uploader.begin(bucket, "a", 3)
    monkeypatch.setitem(app.config, "MAX_CONTENT_LENGTH", 1000)
    body = b'{"parts": []}' + b" " * 1000
    for address in ("/multipart-uploads", upload["links"]["complete"]):
        answer = uploader.post(address, data=body, content_type="application/json")
        assert refusal(answer) == (400, "invalid_request")


def test_a_body_shorter_than_it_says_is_refused(uploader, bucket):
    upload = uploader.begin(bucket, "a", 3)
    for address in ("/multipart-uploads", upload["links"]["complete"]):
        answer = uploader.post(address, data=b"{}", environ_overrides={"CONTENT_LENGTH": "9"})
        assert refusal(answer) == (400, "invalid_request")


@pytest.mark.parametrize(
    "content_type",
    ["a/b\r\n;c", "a/b\n ;c", "a/b\u2003;c", "a/b\t;c", "a/b;\tc", "a/b; c\n"],
)
def test_a_content_type_that_is_no_header_is_refused(uploader, bucket, content_type):
    body = {"bucket": str(bucket.id), "key": "a", "size": 3, "content_type": content_type}
    assert refusal(uploader.post("/multipart-uploads", json=body)) == (400, "invalid_request")


@pytest.mark.parametrize("content_type", ["a/b", "a/b;c=d", 'a/b  ;  c="d  e"', "a/b; ", "a/b;~"])
def test_a_content_type_that_is_a_header_is_taken(uploader, bucket, content_type):
    upload = uploader.begin(bucket, "a", 3, content_type=content_type)
    assert upload["content_type"] == content_type


@pytest.mark.parametrize(
    "name", ["_external", "_scheme", "_anchor", "_method", "endpoint", "values"]
)
def test_the_next_page_carries_what_selects_uploads_and_nothing_else(
    app, uploader, bucket, name, monkeypatch
):
    monkeypatch.setitem(app.config, "OAREPO_S3_PAGE_SIZE", 1)
    for key in ("a", "b"):
        uploader.begin(bucket, key, 1)
    query = {name: "javascript", "bucket": str(bucket.id), "state": "pending"}
    answer = uploader.get("/multipart-uploads", query_string=query)
    assert answer.status_code == 200
    address, _, following = answer.get_json()["links"]["next"].partition("?")
    assert address == "http://localhost/multipart-uploads"
    assert set(following.split("&")) == {f"bucket={bucket.id}", "state=pending", "page=2"}
