# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a client is told of a file: its name, its type, and who may keep it for how long."""

from __future__ import annotations

from datetime import timedelta

import pytest
from invenio_db import db
from werkzeug.http import parse_options_header

from oarepo_s3.backends.s3 import S3Store

from .doors import CONTENT, client, files_rest, plain, records_files


def name_in(header):
    """Return the name that a client reads; parsed by code that is not ours."""
    return parse_options_header(header)[1]["filename"]


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


def test_a_compressed_file_is_not_what_is_inside(app, stream):
    with app.test_request_context(method="HEAD"):
        answer = stream("a").file.storage().send_file("data.csv.gz")
    assert (answer.mimetype, answer.content_length) == (OCTETS, len(CONTENT))


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
