# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""File names and types that want to be more than that."""

from __future__ import annotations

from urllib.parse import quote
from uuid import UUID

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion

from oarepo_s3.proxies import current_s3

from ..people import http, key_of

REFUSED = {
    "header": "a\r\nSet-Cookie: b=c",
    "line feed": "a\nb",
    "carriage return": "a\rb",
    "nul": "a\0b",
    "escape": "a\x1b[2Jb",
    "next line": "a\x85b",
    "line separator": "a\u2028b",
    "paragraph separator": "a\u2029b",
    "backwards": "a\u202egpj.exe",
    "isolated": "a\u2066b",
    "absolute": "/etc/passwd",
    "double slash": "//example.org/a",
    "dot": ".",
    "dots": "..",
    "too long": "日" * 256,
}

TAKEN = {
    "upwards": "../../etc/passwd",
    "inner dots": "a/./../b",
    "encoded": "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "encoded header": "a%0d%0aSet-Cookie:%20b",
    "backslashes": "..\\..\\windows\\system32",
    "slashes": "a//b",
    "quotes": "a\"b'c`d.bin",
    "parameters": 'a"; filename="b.exe',
    "semicolons": "a;b;c=d.bin",
    "query": "a?b=c&d#e",
    "markup": "<script>alert(1)</script>.bin",
    "sql": "'; DROP TABLE files_object; --",
    "long": "日" * 255,
    "emoji": "👩\u200d🔬 🐎.bin",
    "narrow space": "Screenshot 2026-01-01 at 10.00.00\u202fAM.png",
    "joiner": "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.bin",
    "spaces": " a ",
}


@pytest.mark.parametrize("key", REFUSED.values(), ids=REFUSED)
def test_a_name_that_no_header_or_address_can_hold_is_refused(uploader, bucket, key):
    answer = uploader.post(
        "/multipart-uploads", json={"bucket": str(bucket.id), "key": key, "size": 1}
    )
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_key")
    assert Bucket.get(bucket.id).size == 0


@pytest.mark.parametrize("key", TAKEN.values(), ids=TAKEN)
def test_any_other_name_comes_back_as_it_is_and_never_reaches_the_store(uploader, bucket, key):
    content = key.encode()
    upload = uploader.begin(bucket, key, len(content))
    address = upload["urls"][0]["url"]
    http.request("PUT", address, body=content)
    done = uploader.complete(upload).get_json()

    assert done["key"] == key
    assert ObjectVersion.get(bucket.id, key).key == key
    object_key = key_of(address)
    assert object_key.replace("/", "").replace("-", "").isalnum()
    assert current_s3.key_marker.file_id("", object_key) == UUID(done["file"]["file_id"])
    got = http.request("GET", redirect(uploader, bucket, key).headers["Location"])
    assert (got.status, got.data) == (200, content)


def redirect(person, bucket, key):
    """Ask files-rest for a file, as a client that quotes all of its name."""
    answer = person.download(bucket, quote(key, safe=""))
    assert answer.status_code == 302
    return answer


IN_THE_DATABASE = {
    "header": "a\r\nSet-Cookie: b=c.bin",
    "line feed": "a\nb.bin",
    "carriage return": "a\rb.bin",
    "escape": "a\x1bb.bin",
    "line separator": "a\u2028b.bin",
    "backwards": "a\u202enib.bin",
    "quotes": 'a"b.bin',
    "parameters": 'a"; filename="b.exe',
    "semicolons": "a;b.bin",
    "backslashes": "a\\b.bin",
    "header in text": "a\r\nSet-Cookie: b=c.txt",
    "not latin": "ř\r\nSet-Cookie: b=c.bin",
}


@pytest.mark.parametrize("key", IN_THE_DATABASE.values(), ids=IN_THE_DATABASE)
def test_a_bad_name_that_is_already_there_splits_no_answer(uploader, bucket, key):
    uploader.upload(bucket, "a", b"content")
    version = ObjectVersion.get(bucket.id, "a")
    version.key = key
    db.session.commit()

    answer = version.send_file()

    headers = {**answer.headers}
    assert "Set-Cookie" not in headers
    for value in headers.values():
        assert not set("\r\n\0\x1b\u2028") & set(value)
    for encoded in ("%0d", "%0a", "%00", "%1b"):
        assert encoded not in headers["Location"].lower()
    got = http.request("GET", headers["Location"])
    assert (got.status, got.data) == (200, b"content")
    assert "Set-Cookie" not in got.headers
    # One file name, whatever quotes are in it.
    assert got.headers["Content-Disposition"].count('"') == 2


TYPES = [
    ("page.html", None),
    ("image.svg", None),
    ("page.xhtml", None),
    ("data.xml", None),
    ("script.js", None),
    ("file.bin", "text/html"),
    ("file.bin", "text/html; charset=utf-8"),
    ("file.bin", "TEXT/HTML"),
    ("file.bin", "image/svg+xml"),
    ("file.bin", "application/xhtml+xml"),
    ("file.bin", "text/xml"),
    ("file.bin", "application/javascript"),
    ("file.bin", "multipart/x-mixed-replace"),
    ("image.png", "text/html"),
]
CONTENT = b"<html xmlns='http://www.w3.org/1999/xhtml'><script>alert(1)</script></html>"


@pytest.mark.parametrize(("key", "content_type"), TYPES)
def test_nothing_that_a_browser_would_run_is_served_inline(uploader, bucket, key, content_type):
    uploader.upload(bucket, key, CONTENT, content_type=content_type)

    answer = redirect(uploader, bucket, key)

    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Security-Policy"] == "default-src 'none';"
    got = http.request("GET", answer.headers["Location"])
    assert (got.status, got.data) == (200, CONTENT)
    disposition, served = got.headers["Content-Disposition"], got.headers["Content-Type"]
    assert disposition == f'attachment; filename="{key}"'
    assert served.partition(";")[0] in ("text/plain", "application/octet-stream")


def test_the_type_that_the_object_carries_is_never_what_a_url_serves(uploader, bucket, store):
    """The client's type is kept at the store, for the operator; no URL of ours gives it away."""
    upload = uploader.begin(bucket, "a", len(CONTENT), content_type="text/html")
    key = key_of(upload["urls"][0]["url"])
    http.request("PUT", upload["urls"][0]["url"], body=CONTENT)
    uploader.complete(upload)
    assert store.client().head_object(Bucket=store.bucket, Key=key)["ContentType"] == "text/html"

    location = redirect(uploader, bucket, "a").headers["Location"]

    assert "response-content-type=text%2Fplain&" in location
    bare = location.replace("response-content-type=text%2Fplain&", "")
    other = location.replace("text%2Fplain", "text%2Fhtml")
    assert http.request("GET", location).headers["Content-Type"].startswith("text/plain")
    assert [http.request("GET", url).status for url in (bare, other)] == [403, 403]
