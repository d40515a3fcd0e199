# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Downloads as a client sees them that knows an address and follows redirects.

By a real server and real connections: what a HEAD says of its length could get lost in between.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from datetime import timedelta
from threading import Thread
from urllib.parse import quote
from uuid import uuid4

import pytest
import urllib3
from flask import Blueprint, request
from invenio_db import db
from invenio_files_rest.models import ObjectVersion
from invenio_records_files.api import FilesIterator
from werkzeug.http import parse_options_header
from werkzeug.serving import make_server

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.errors import StoreDenied, StoreUnavailable
from oarepo_s3.proxies import current_s3

from ..services.process import HOST
from .file_service import RecordWithFiles, mount
from .test_records import Record
from .test_storage import PART, assign, finish, send

CONTENT = b"0123456789 abcdefgh\n"
PRIVATE = "private, no-store"
SAME_AS_THE_STORE = (
    "Content-Length",
    "Content-Type",
    "Content-Disposition",
    "Cache-Control",
    "Accept-Ranges",
)

client = urllib3.PoolManager(retries=urllib3.Retry(total=3, redirect=3))
"""Follows redirects, as people's clients do."""
plain = urllib3.PoolManager(retries=False)
"""Shows the redirect."""


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """Let everybody read everything; other tests are about who may.

    ``place`` is named, because pytest does not look for parameters behind an overridden fixture.
    """
    app_config["FILES_REST_PERMISSION_FACTORY"] = lambda obj, action: None
    return app_config


@pytest.fixture(scope="module")
def server(app) -> Iterator[str]:
    """The address of a real server of the REST API, with the routes of records."""
    mount(app)
    views = Blueprint("test_downloads", __name__)

    @views.route("/files-of-a-record/<uuid:version_id>")
    def file_of_a_record(version_id):
        """Answer as a view of invenio-records-files does."""
        version = db.session.get(ObjectVersion, version_id)
        files = FilesIterator(Record(), bucket=version.bucket)
        return files[version.key].send_file(
            restricted="public" not in request.args,
            trusted="trusted" in request.args,
            as_attachment="download" in request.args,
        )

    app.register_blueprint(views)
    running = make_server(HOST, 0, app, threaded=True)
    thread = Thread(target=running.serve_forever)
    thread.start()
    yield f"http://{HOST}:{running.port}"
    running.shutdown()
    thread.join()
    running.server_close()


def files_rest(version):
    """files-rest's own route."""
    return f"/files/{version.bucket_id}/{quote(version.key, safe='')}"


def records_files(version):
    """A view of a file of a record of invenio-records-files."""
    return f"/files-of-a-record/{version.version_id}"


def records_resources(version):
    """The content of a file of a record of invenio-records-resources."""
    record = RecordWithFiles.create({}, pid=str(uuid4()), bucket=version.bucket)
    record.files.create(version.key, obj=version)
    record.commit()
    db.session.commit()
    key = quote(version.key, safe="")
    return f"/downloads-records/{record.pid.pid_value}/files/{key}/content"


DOORS = [files_rest, records_files, records_resources]
doors = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)


@pytest.fixture
def stream(bucket):
    """Save a file that was sent through the server."""

    def save(key, content=CONTENT, mimetype=None):
        version = ObjectVersion.create(bucket, key, stream=io.BytesIO(content))
        if mimetype:
            version.mimetype = mimetype
        db.session.commit()
        return version

    return save


def name_in(header):
    """Return the name that a client reads; parsed by code that is not ours."""
    return parse_options_header(header)[1]["filename"]


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


NAMES = {
    'naïve "quote" файл 数据.csv': "naive _quote_ ____ __.csv",
    "a;b.txt": "a;b.txt",
    "semi%colon%20.txt": "semi_colon_20.txt",
    "back\\slash'.txt": "back_slash'.txt",
    "Příliš žluťoučký.pdf": "Prilis zlutoucky.pdf",
    "👩\u200d🔬.png": "___.png",
    "日" * 251 + ".bin": "_" * 251 + ".bin",
    "file.html": "file.html",
    "no type": "no type",
    "=?utf-8?q?x?=.txt": "=?utf-8?q?x?=.txt",
}


@pytest.mark.parametrize("download", ["", "?download"], ids=["shown", "saved"])
@pytest.mark.parametrize("key", NAMES, ids=lambda key: ascii(key)[:20])
def test_any_name_arrives_whether_the_file_is_shown_or_saved(server, stream, key, download):
    address = server + files_rest(stream(key)) + download
    header = client.request("GET", address).headers["Content-Disposition"]
    assert header.isascii()
    assert name_in(header) == key
    assert f'; filename="{NAMES[key]}"' in header
    assert ("filename*" in header) == (NAMES[key] != key)
    assert header.startswith("attachment") or not download
    assert plain.request("HEAD", address).headers["Content-Disposition"] == header


def test_a_name_with_line_breaks_makes_no_header(server, stream):
    version = stream("a.txt")
    version.key = "b\r\nSet-Cookie: c=d\u2028.txt"
    db.session.commit()
    for method in ("GET", "HEAD"):
        got = client.request(method, server + records_files(version))
        assert got.status == 200
        assert "Set-Cookie" not in got.headers
        assert name_in(got.headers["Content-Disposition"]) == "b__Set-Cookie: c=d_.txt"


TEXT, OCTETS = "text/plain", "application/octet-stream"
TYPES = [
    ("notes.txt", None, "inline", TEXT),
    ("photo.png", None, "inline", "image/png"),
    ("data.json", None, "inline", TEXT),
    ("README", None, "inline", TEXT),
    ("page.html", None, "attachment", TEXT),
    ("drawing.svg", None, "attachment", TEXT),
    ("photo.png", "image/svg+xml", "attachment", TEXT),
    ("page.bin", "text/html; charset=utf-8", "attachment", OCTETS),
    ("paper.pdf", None, "attachment", OCTETS),
    ("unknown.xyzzy", None, "attachment", OCTETS),
    ("unknown.xyzzy", "x-my/type", "attachment", OCTETS),
    ("data.csv.gz", None, "attachment", OCTETS),
]


@pytest.mark.parametrize(("key", "mimetype", "kind", "served"), TYPES)
def test_what_a_browser_could_run_is_saved_and_the_rest_has_its_type(
    server, stream, key, mimetype, kind, served
):
    address = server + files_rest(stream(key, mimetype=mimetype))
    for method in ("GET", "HEAD"):
        got = client.request(method, address)
        assert got.headers["Content-Type"].partition(";")[0] == served
        assert got.headers["Content-Disposition"] == f'{kind}; filename="{key}"'


@pytest.mark.parametrize(
    ("mimetype", "kind", "served"),
    [
        ("text/html", "inline", "text/html"),
        ("text/html; charset=utf-8", "inline", "text/html; charset=utf-8"),
        ("text/html\r\nSet-Cookie: a=b", "attachment", OCTETS),
    ],
    ids=["type", "with a charset", "no type at all"],
)
def test_a_trusted_file_is_served_as_it_is(server, stream, mimetype, kind, served):
    address = server + records_files(stream("page.html", mimetype=mimetype)) + "?trusted"
    first = plain.request("GET", address, redirect=False)
    assert "Content-Security-Policy" not in first.headers
    got = client.request("GET", address)
    assert got.headers["Content-Type"] == served
    assert got.headers["Content-Disposition"] == f'{kind}; filename="page.html"'
    assert "Set-Cookie" not in got.headers


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


def test_a_compressed_file_is_not_what_is_inside(app, stream):
    with app.test_request_context(method="HEAD"):
        answer = stream("a").file.storage().send_file("data.csv.gz")
    assert (answer.mimetype, answer.content_length) == (OCTETS, len(CONTENT))


def test_a_range_behind_the_end_is_refused_by_the_store(server, stream):
    address = server + files_rest(stream("data.bin"))
    assert client.request("GET", address, headers={"Range": "bytes=20-"}).status == 416


def test_a_public_file_is_cached_for_half_the_life_of_its_url_at_most(server, stream, app):
    address = server + records_files(stream("a.txt")) + "?public"
    life = app.config["S3_URL_EXPIRATION"]
    first = plain.request("GET", address, redirect=False)
    assert f"X-Amz-Expires={life}&" in first.headers["Location"]
    head = plain.request("HEAD", address)
    for answer in (first, head, client.request("GET", address)):
        assert answer.headers["Cache-Control"] == f"public, max-age={life // 2}"
        assert "Expires" not in answer.headers
    # An answer to somebody with a session may renew it.
    assert (first.headers["Vary"], head.headers["Vary"]) == ("Cookie", "Cookie")


def test_temporary_keys_that_end_earlier_shorten_the_time_in_caches(server, stream, monkeypatch):
    monkeypatch.setattr(S3Store, "download_lifetime", lambda self, wanted: timedelta(seconds=21))
    answer = plain.request("GET", server + records_files(stream("a")) + "?public", redirect=False)
    assert answer.headers["Cache-Control"] == "public, max-age=10"


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
