# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Objects are never public: not before completion, not after it, and no ACL is ever sent."""

from __future__ import annotations

import pytest

from oarepo_s3.proxies import current_s3

from ..people import http, send_parts

CONTENT = b"secret"

# rclone calls a request without any signature malformed.
REFUSED = {"local": (400, 403), "real": (401, 403)}


@pytest.fixture
def upload(uploader, bucket):
    """An open upload with its part."""
    upload = uploader.begin(bucket, "a", len(CONTENT))
    send_parts(upload, CONTENT)
    return upload


def plain(upload):
    """Return the object's URL without any signature."""
    return upload["urls"][0]["url"].partition("?")[0]


def upload_id(upload):
    """Return the store's id, which whoever has a part URL knows."""
    return upload["urls"][0]["url"].partition("uploadId=")[2].partition("&")[0]


ANONYMOUS = {
    "read": ("GET", ""),
    "head": ("HEAD", ""),
    "overwrite": ("PUT", ""),
    "delete": ("DELETE", ""),
    "acl": ("GET", "?acl"),
    "make public": ("PUT", "?acl"),
    "list parts": ("GET", "?uploadId={id}"),
    "abort": ("DELETE", "?uploadId={id}"),
    "send a part": ("PUT", "?partNumber=1&uploadId={id}"),
    "begin": ("POST", "?uploads"),
}


@pytest.mark.parametrize("when", ["before completion", "after completion"])
@pytest.mark.parametrize("call", ANONYMOUS)
def test_a_request_without_a_signature_is_refused(uploader, bucket, upload, place, when, call):
    if when == "after completion":
        assert uploader.complete(upload).status_code == 200
    method, query = ANONYMOUS[call]
    headers = {"x-amz-acl": "public-read"} if call == "make public" else {}

    answer = http.request(
        method, plain(upload) + query.format(id=upload_id(upload)), headers=headers
    )

    assert answer.status in REFUSED[place]
    assert CONTENT not in answer.data
    assert uploader.complete(upload).status_code == 200
    got = http.request("GET", uploader.download(bucket, "a").headers["Location"])
    assert got.data == CONTENT
    assert http.request("GET", plain(upload)).status in REFUSED[place]


@pytest.mark.parametrize("query", ["", "?list-type=2", "?uploads", "?versions", "?policy", "?acl"])
def test_nobody_lists_the_bucket_without_a_signature(upload, store, place, query):
    answer = http.request("GET", f"{store.endpoint_url}/{store.bucket}{query}")
    assert answer.status in REFUSED[place]
    assert plain(upload).rpartition("/")[2].encode() not in answer.data


def test_no_acl_is_ever_sent(uploader, bucket, location_uri):
    sent = []

    def see(request, **kwargs):
        sent.append((request.method, request.url, {name.lower() for name in request.headers}))

    events = current_s3.store(location_uri)._client.meta.events
    events.register("before-send.s3", see)
    try:
        uploader.upload(bucket, "a", CONTENT, content_type="text/plain")
        uploader.delete(uploader.begin(bucket, "b", 3)["links"]["abort"])
    finally:
        events.unregister("before-send.s3", see)

    assert {method for method, _, _ in sent} == {"POST", "GET", "HEAD", "DELETE"}
    for _, url, headers in sent:
        assert not {name for name in headers if "acl" in name or "grant" in name}
        assert "acl" not in url.partition("?")[2]
