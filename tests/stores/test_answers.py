# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Servers that are no store, or a store in trouble: nothing but the project's errors comes out."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from oarepo_s3 import config
from oarepo_s3.backends import StoreConfig
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import (
    StoreDenied,
    StoreError,
    StoreFault,
    StoreMisconfigured,
    StorePartsRejected,
    StoreUnavailable,
    StoreUploadGone,
)
from oarepo_s3.core.parts import UploadedPart

from ..serving import in_thread
from .conftest import CLIENT_OPTIONS

CALLS: dict[str, Callable[[Any], object]] = {
    "create": lambda store: store.create_upload("k", content_type=None, metadata={}),
    "list": lambda store: store.list_parts("k", "u"),
    "complete": lambda store: store.complete_upload("k", "u", [UploadedPart(1, 1, "e")]),
    "abort": lambda store: store.abort_upload("k", "u"),
    "find": lambda store: store.find_uploads("k"),
    "head": lambda store: store.head("k"),
    "delete": lambda store: store.delete("k"),
}
every_call = pytest.mark.parametrize("call", CALLS)


@dataclass
class Answer:
    """What the server says to everything."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        answer: Answer = self.server.answer  # type: ignore[attr-defined]
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(answer.body)
        # Whoever promised more than is there has to hang up.
        self.close_connection = "Content-Length" in answer.headers

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _answer

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Server:
    """A web server that gives one answer."""

    def __init__(self) -> None:
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def says(self, status: int, body: bytes = b"", **headers: str) -> S3Store:
        """Set the answer and return a store at this address."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.http.answer = Answer(status, body, named)  # type: ignore[attr-defined]
        return store_at(self.url)


def store_at(url: str | None, **options: Any) -> S3Store:
    keys = Credentials("AKID", "the-secret")
    options = {**CLIENT_OPTIONS, "read_timeout": 1, **options}
    return S3Store("bucket", StoreConfig(url, None, "us-east-1", keys, client_options=options))


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    made = Server()
    with in_thread(made.http):
        yield made


def comes_out(store: S3Store, call: str) -> StoreError:
    with pytest.raises(StoreError) as found:
        CALLS[call](store)
    assert "the-secret" not in str(found.value)
    return found.value


@every_call
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        pytest.param(500, b"<html>oops<br>", StoreFault, id="a crash"),
        pytest.param(502, b"<html>Bad Gateway", StoreUnavailable, id="a gateway"),
        pytest.param(503, b"", StoreUnavailable, id="a pause"),
        pytest.param(403, b"", StoreDenied, id="a ban"),
        pytest.param(418, b"{}", StoreFault, id="a joke"),
    ],
)
def test_an_error_that_is_none_of_s3_goes_by_its_status(server, call, status, body, kind):
    assert type(comes_out(server.says(status, body), call)) is kind


@pytest.mark.parametrize("call", ["create", "list", "complete", "abort", "find", "delete"])
def test_a_404_of_a_proxy_ends_no_upload(server, call):
    error = comes_out(server.says(404, b"<html>default backend - 404<br>"), call)
    assert not isinstance(error, StoreUploadGone)


@every_call
def test_a_page_for_people_is_no_answer_of_a_store(server, call):
    error = comes_out(server.says(200, b"<html><p>Welcome!<br></html>"), call)
    assert isinstance(error, (StoreFault, StoreMisconfigured))


@pytest.mark.parametrize("body", [b"", b"<Other/>", b"<R><UploadIds>1</UploadIds></R>"])
def test_an_upload_without_an_id_was_not_opened(server, body):
    assert type(comes_out(server.says(200, body), "create")) is StoreMisconfigured


@pytest.mark.parametrize(
    "part",
    [
        b"<PartNumber>1</PartNumber>",
        b"<PartNumber>x</PartNumber><Size>1</Size><ETag>e</ETag>",
        b"<PartNumber>1</PartNumber><Size></Size><ETag>e</ETag>",
    ],
)
def test_a_part_that_cannot_be_read_is_no_part(server, part):
    store = server.says(200, b"<R><Part>" + part + b"</Part></R>")
    assert type(comes_out(store, "list")) is StoreMisconfigured


def test_an_object_without_an_etag_is_no_object_of_a_store(server):
    assert type(comes_out(server.says(200), "head")) is StoreMisconfigured
    assert server.says(200, ETag='"e"').head("k").etag == "e"


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (b"InternalError", StoreUnavailable),
        (b"InvalidPart", StorePartsRejected),
        (b"NoSuchUpload", StoreUploadGone),
    ],
)
def test_a_complete_that_fails_within_a_200_has_failed(server, code, kind):
    body = b'<?xml version="1.0"?>\n   \n<Error><Code>' + code + b"</Code></Error>"
    assert type(comes_out(server.says(200, body), "complete")) is kind


@every_call
def test_an_address_that_redirects_to_itself_is_a_wrong_one(server, call):
    store = server.says(301, Location=f"{server.url}/bucket/k")
    assert type(comes_out(store, call)) is StoreMisconfigured


@pytest.mark.parametrize("call", ["create", "list", "complete", "find"])
def test_an_answer_that_breaks_off_is_none(server, call):
    store = server.says(200, b"<R>", Content_Length="100")
    assert type(comes_out(store, call)) is StoreUnavailable


@pytest.mark.parametrize("encryption", ["aws:kms", "aws:kms:dsse"])
def test_an_etag_of_an_object_under_a_managed_key_is_no_digest(server, encryption):
    store = server.says(200, ETag='"e"', x_amz_server_side_encryption=encryption)
    assert store.head("k").etag_is_digest is False
    store = server.says(200, ETag='"e"', x_amz_server_side_encryption="AES256")
    assert store.head("k").etag_is_digest is True


@pytest.mark.parametrize(
    ("call", "attempts", "seconds"),
    [*((call, 1, 5) for call in CALLS), ("complete", config.OAREPO_S3_MAX_ATTEMPTS, 8)],
)
def test_nobody_listening_is_said_quickly(call, attempts, seconds):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        store = store_at(url, retries={"mode": "standard", "total_max_attempts": attempts})
        began = time.monotonic()
        error = comes_out(store, call)
    assert type(error) is StoreUnavailable
    assert time.monotonic() - began < seconds


def test_a_store_that_does_not_answer_is_given_up_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = time.monotonic()
        error = comes_out(store_at(f"http://127.0.0.1:{silent.getsockname()[1]}"), "list")
    assert type(error) is StoreUnavailable
    assert 1 <= time.monotonic() - began < 5


@pytest.mark.parametrize("url", ["localhost:9000", "http://", "http://a b", "https://h?x=1", "x"])
def test_an_address_that_is_no_url_is_a_matter_of_configuration(url):
    with pytest.raises(StoreMisconfigured):
        CALLS["head"](store_at(url))
