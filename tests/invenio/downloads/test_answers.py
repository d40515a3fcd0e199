# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How a GET and a HEAD are answered: the redirect, the length, ranges, conditions and errors."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from invenio_db import db

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.errors import StoreDenied, StoreUnavailable
from oarepo_s3.proxies import current_s3

from ..test_storage import PART, assign, finish, send
from .doors import CONTENT, client, doors, files_rest, plain, records_resources

PRIVATE = "private, no-store"
SAME_AS_THE_STORE = (
    "Content-Length",
    "Content-Type",
    "Content-Disposition",
    "Cache-Control",
    "Accept-Ranges",
)


@doors
def test_a_get_is_an_empty_redirect_to_the_file_by_every_door(server, stream, door):
    address = server + door(stream("data.csv"))
    first = plain.request("GET", address, redirect=False)
    assert (first.status, first.data) == (302, b"")
    assert "Content-Type" not in first.headers
    assert first.headers["Cache-Control"] == PRIVATE
    assert first.headers["X-Content-Type-Options"] == "nosniff"

    got = client.request("GET", address)

    assert (got.status, got.data) == (200, CONTENT)
    assert got.headers["Cache-Control"] == PRIVATE
    assert got.headers["Content-Type"].startswith("text/plain")
    assert got.headers["Content-Disposition"] == 'inline; filename="data.csv"'


@doors
@pytest.mark.parametrize("content", [CONTENT, b""], ids=["content", "empty"])
def test_a_head_is_answered_at_once_with_what_the_store_would_say(server, stream, door, content):
    address = server + door(stream("naïve 数据.pdf", content))

    head = plain.request("HEAD", address, redirect=False)
    got = client.request("GET", address)

    assert (head.status, got.status) == (200, 200)
    assert "Location" not in head.headers
    assert got.data == content
    assert head.headers["Content-Length"] == str(len(content))
    assert {name: head.headers[name] for name in SAME_AS_THE_STORE} == {
        name: got.headers[name] for name in SAME_AS_THE_STORE
    }


def test_a_head_of_a_file_above_4_gib_has_its_length(server, stream):
    version = stream("large.bin")
    version.file.size = 5 * 2**40 + 1
    db.session.commit()
    head = plain.request("HEAD", server + files_rest(version))
    assert head.headers["Content-Length"] == "5497558138881"


@doors
@pytest.mark.parametrize(
    ("asked", "told", "sent"),
    [
        ("bytes=2-5", "bytes 2-5/20", CONTENT[2:6]),
        ("bytes=15-", "bytes 15-19/20", CONTENT[15:]),
        ("bytes=-3", "bytes 17-19/20", CONTENT[-3:]),
    ],
    ids=["middle", "from", "last"],
)
def test_a_range_goes_on_to_the_store(server, stream, place, door, asked, told, sent):
    address = server + door(stream("data.bin"))
    got = client.request("GET", address, headers={"Range": asked})
    # rclone 1.75 answers a range with 200; all else is right.
    assert got.status == {"local": 200, "real": 206}[place]
    assert (got.headers["Content-Range"], got.data) == (told, sent)


def test_a_range_behind_the_end_is_refused_by_the_store(server, stream):
    address = server + files_rest(stream("data.bin"))
    assert client.request("GET", address, headers={"Range": "bytes=20-"}).status == 416


@doors
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_that_is_still_uploaded_has_no_redirect(server, bucket, door, method):
    _, version = assign(bucket, "data.bin", 10)
    answer = plain.request(method, server + door(version), redirect=False)
    assert answer.status == (400 if door is records_resources else 503)
    assert "Location" not in answer.headers
    assert b"X-Amz" not in answer.data


def test_the_etag_of_a_file_uploaded_in_parts_is_the_store_s(server, bucket):
    content = os.urandom(PART + 7)
    upload, version = assign(bucket, "data.bin", len(content), content_type="text/html")
    send(upload.session, content)
    finish(upload.session)
    address = server + files_rest(version)

    head, got = plain.request("HEAD", address), client.request("GET", address)

    assert got.data == content
    assert head.headers["ETag"] == got.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(content))
    condition = {"If-None-Match": head.headers["ETag"]}
    assert plain.request("HEAD", address, headers=condition).status == 304
    assert client.request("GET", address, headers=condition).status == 304


def test_a_file_that_was_streamed_claims_no_etag(server, stream):
    """It was cut by another library: what the store calls it is not known."""
    assert "ETag" not in plain.request("HEAD", server + files_rest(stream("a"))).headers


@pytest.fixture
def wrong_address(app) -> Iterator[None]:
    """A setting that no URL can be made of."""
    stores = current_s3._stores
    stores._stores.clear()
    app.config["OAREPO_S3_PUBLIC_ENDPOINT_URL"] = "files.example.org"
    yield
    app.config["OAREPO_S3_PUBLIC_ENDPOINT_URL"] = None
    stores._stores.clear()


@pytest.fixture
def no_keys(monkeypatch) -> None:
    """A server whose temporary keys have ended."""

    def refuse(self, wanted):
        raise StoreDenied(reason="the server's temporary credentials have ended")

    monkeypatch.setattr(S3Store, "download_lifetime", refuse)


@pytest.fixture
def no_metadata(monkeypatch) -> None:
    """A server that cannot reach the service from which it gets its keys."""

    def wait(self, wanted):
        raise StoreUnavailable(reason="ConnectTimeoutError")

    monkeypatch.setattr(S3Store, "download_lifetime", wait)


@doors
@pytest.mark.parametrize(
    ("fault", "status", "code", "said"),
    [
        ("wrong_address", 502, "store_misconfigured", "address is configured wrongly"),
        ("no_keys", 502, "store_denied", "temporary credentials have ended"),
        ("no_metadata", 503, "store_unavailable", "cannot be reached right now"),
    ],
)
def test_what_cannot_be_signed_is_a_clear_error(
    server, stream, door, request, caplog, fault, status, code, said
):
    address = server + door(stream("a.bin"))
    request.getfixturevalue(fault)
    answer = plain.request("GET", address, redirect=False)
    assert answer.status == status
    assert said in answer.json()["message"]
    # flask-resources keeps of an error its status and its sentence.
    if door is not records_resources:
        assert answer.json()["code"] == code
        assert ("Retry-After" in answer.headers) == (status == 503)
    assert [record.action for record in caplog.records if "signed" in record.message] == [
        "download_failed"
    ]
    assert plain.request("HEAD", address).status == status
