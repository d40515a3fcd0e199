# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How Ceph RGW answers presigned downloads, as the table in ``docs/reference/stores.md`` says.

Measured with plain requests, as in ``test_ceph_versions``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from .ceph_traits import OK

pytestmark = pytest.mark.ceph

BODY = b"0123456789"
OWN = {"ContentType": "text/x-own", "ContentDisposition": "inline", "CacheControl": "max-age=9"}
"""What the object was stored with."""
ASKED = {
    "Content-Type": "application/x-asked; charset=utf-8",
    "Content-Disposition": "attachment; filename=\"a _.txt\"; filename*=UTF-8''a%20%C5%99.txt",
    "Cache-Control": "private, no-store",
}
"""What its URL asks for."""


@pytest.fixture
def sign(begin) -> Callable[..., str]:
    """Sign a download of an object with headers of its own: call it with what is asked for."""
    upload = begin(**OWN)
    assert upload.put(upload.sign(), BODY) == OK
    upload.client.complete_multipart_upload(**upload.listed())

    def signed(asked: dict[str, str]) -> str:
        named = {f"Response{name.replace('-', '')}": value for name, value in asked.items()}
        return str(upload.client.generate_presigned_url("get_object", {**upload.at, **named}))

    return signed


@pytest.fixture
def get(sign, http) -> Callable[..., Any]:
    """Download by a URL that asks for all three headers: call it with headers of the request."""
    url = sign(ASKED)
    return lambda **headers: http.request(
        "GET", url, headers={name.replace("_", "-"): value for name, value in headers.items()}
    )


@pytest.mark.parametrize("name", ASKED)
def test_each_header_is_that_of_the_url_and_the_others_are_the_object_s(sign, http, name):
    answer = http.request("GET", sign({name: ASKED[name]}))
    own = dict(zip(ASKED, OWN.values(), strict=True))
    assert {name: answer.headers[name] for name in ASKED} == {**own, name: ASKED[name]}


@pytest.mark.parametrize(
    ("headers", "status", "content"),
    [({}, 200, BODY), ({"Range": "bytes=2-5"}, 206, BODY[2:6])],
    ids=["whole", "range"],
)
def test_a_download_has_the_headers_of_its_url(get, headers, status, content):
    answer = get(**headers)
    assert (answer.status, answer.data) == (status, content)
    assert {name: answer.headers[name] for name in ASKED} == ASKED


def test_a_header_that_was_not_signed_cannot_be_asked_for(sign, http):
    url = sign({"Cache-Control": "private"})
    for other in (f"{url}&response-content-type=text%2Fhtml", url.replace("=private", "=public")):
        answer = http.request("GET", other)
        assert (answer.status, re.findall(rb"<Code>(.*?)</Code>", answer.data)) == (
            403,
            [b"SignatureDoesNotMatch"],
        )


def test_an_unchanged_object_never_has_the_headers_of_the_url(get, rgw):
    etag = get().headers["ETag"]
    answer = get(If_None_Match=etag)
    assert answer.status == 304
    said = {name: answer.headers.get(name) for name in ("ETag", *ASKED)}
    own = {"ETag": etag, "Cache-Control": OWN["CacheControl"]} if rgw.describes_unchanged else {}
    assert said == {**dict.fromkeys(said), **own}


def test_the_condition_of_a_range_is_ignored(get):
    for condition in ('"other"', "Wed, 21 Oct 2015 07:28:00 GMT"):
        answer = get(Range="bytes=2-5", If_Range=condition)
        assert (answer.status, answer.data) == (206, BODY[2:6])


def test_of_several_ranges_the_first_is_sent(get):
    answer = get(Range="bytes=0-1,4-5")
    assert (answer.status, answer.headers["Content-Range"]) == (206, "bytes 0-1/10")
    assert answer.data == BODY[:2]
