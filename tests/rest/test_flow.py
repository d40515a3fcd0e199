# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The whole way of a file, by REST, to a real store and back."""

from __future__ import annotations

import hashlib
import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion

from ..people import cut, http, key_of, put, send_parts

MIB = 2**20
PART = 5 * MIB


def test_a_file_goes_up_in_parts_and_comes_back_by_redirect(uploader, bucket):
    content = os.urandom(2 * PART + 123)
    upload = uploader.begin(bucket, "data.bin", len(content), part_size=PART)
    assert upload["state"] == "pending"
    assert [item["part"] for item in upload["urls"]] == [1, 2, 3]
    with ThreadPoolExecutor(3) as pool:
        list(
            pool.map(
                lambda item: put(item["url"], cut(upload, content, item["part"])), upload["urls"]
            )
        )

    answer = uploader.complete(upload)

    assert answer.status_code == 200
    completed = answer.get_json()
    assert completed["state"] == "completed"
    assert completed["file"]["size"] == len(content)
    assert re.fullmatch(rf"multipart:[0-9a-f]{{32}}(-3)?-{PART}", completed["file"]["checksum"])
    redirect = uploader.download(bucket, "data.bin")
    assert redirect.status_code == 302
    got = http.request("GET", redirect.headers["Location"])
    assert hashlib.sha256(got.data).digest() == hashlib.sha256(content).digest()


def test_the_session_has_the_fields_and_times_of_the_contract(uploader, bucket):
    answer = uploader.post(
        "/multipart-uploads",
        json={
            "bucket": str(bucket.id),
            "key": "a.txt",
            "size": 7,
            "content_type": "text/plain; charset=utf-8",
            "checksum": "sha256:" + "0" * 64,
        },
    )
    session = answer.get_json()
    assert answer.headers["Location"] == session["links"]["self"]
    assert set(session) == {
        "id", "bucket", "key", "state", "size", "part_size", "num_parts", "content_type",
        "checksum", "part_checksums", "created_at", "expires_at", "links", "urls",
    }  # fmt: skip
    assert set(session["links"]) == {"self", "urls", "parts", "complete", "abort"}
    assert set(session["urls"][0]) == {"part", "url", "expires_at"}
    for name in ("created_at", "expires_at"):
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", session[name])
    assert session["content_type"] == "text/plain; charset=utf-8"
    assert datetime.fromisoformat(session["urls"][0]["expires_at"]) > datetime.now(UTC)

    assert session["checksum"] == {"value": "sha256:" + "0" * 64, "status": "declared"}
    assert session["part_checksums"] == ["md5"]

    again = uploader.get(session["links"]["self"]).get_json()

    assert again == {name: value for name, value in session.items() if name != "urls"}


@pytest.mark.parametrize(
    "key",
    [
        "with space.bin",
        "a+b%20c(d)#e&f=g?.bin",
        "příliš žluťoučký kůň 🐎.bin",
        "folder/in/key.bin",
        "../../etc/passwd",
        "k" * 251 + ".bin",
        "Screenshot at 10.00.00\u202fAM.png",
        "\N{WOMAN}\u200d\N{PERSONAL COMPUTER}.bin",
        "می\u200cروم.txt",
        'a"b\\c;filename=x.bin',
    ],
    ids=[
        "space",
        "reserved",
        "unicode",
        "slashes",
        "dots",
        "255-characters",
        "narrow-space",
        "joined",
        "non-joined",
        "quotes",
    ],
)
def test_any_file_name_works(uploader, bucket, key):
    uploader.upload(bucket, key, b"content of " + key.encode())

    version = ObjectVersion.get(bucket.id, key)
    answer = http.request("GET", version.send_file().headers["Location"])

    assert answer.data == b"content of " + key.encode()


def test_an_empty_file_is_one_empty_part(uploader, bucket):
    upload = uploader.begin(bucket, "empty", 0)
    assert (upload["num_parts"], len(upload["urls"])) == (1, 1)
    send_parts(upload, b"")

    assert uploader.complete(upload).status_code == 200

    redirect = uploader.download(bucket, "empty")
    assert http.request("GET", redirect.headers["Location"]).data == b""
    assert ObjectVersion.get(bucket.id, "empty").file.verify_checksum()


def test_more_urls_are_signed_when_they_are_asked_for(uploader, bucket):
    upload = uploader.begin(bucket, "large", 200 * PART, part_size=PART)
    assert len(upload["urls"]) == 25

    answer = uploader.get(upload["links"]["urls"], query_string={"parts": "100-102,7"})

    assert [item["part"] for item in answer.get_json()["urls"]] == [100, 101, 102, 7]
    assert answer.headers["Cache-Control"] == "no-store"
    put(answer.get_json()["urls"][0]["url"], b"x" * PART)
    parts = uploader.get(upload["links"]["parts"]).get_json()
    assert [(part["part"], part["size"]) for part in parts["parts"]] == [(100, PART)]


@pytest.mark.parametrize("form", ["quoted", "unquoted", "PartNum", "extra fields"])
def test_complete_takes_the_parts_as_clients_write_them(uploader, bucket, form):
    content = os.urandom(PART + 1)
    upload = uploader.begin(bucket, "data", len(content), part_size=PART)
    parts = send_parts(upload, content)
    bare = [{**part, "ETag": part["ETag"].strip('"')} for part in parts]
    body = {
        "quoted": [{**part, "ETag": f'"{part["ETag"]}"'} for part in bare],
        "unquoted": bare,
        "PartNum": [{"PartNum": part["PartNumber"], "ETag": part["ETag"]} for part in bare],
        "extra fields": [{**part, "Size": 1, "name": "x"} for part in parts],
    }[form]

    answer = uploader.complete(upload, json={"parts": body})

    assert answer.status_code == 200, answer.get_json()


def test_complete_and_abort_repeated_give_the_same_answer(uploader, bucket):
    done = uploader.upload(bucket, "a", b"abc")
    again = uploader.complete(done)
    assert (again.status_code, again.get_json()) == (200, done)

    upload = uploader.begin(bucket, "b", 3)
    assert uploader.delete(upload["links"]["abort"]).status_code == 204
    assert uploader.delete(upload["links"]["abort"]).status_code == 204
    assert uploader.get(upload["links"]["self"]).get_json()["state"] == "aborted"


def test_nothing_can_be_read_before_completion_and_the_old_version_stays(uploader, bucket):
    uploader.upload(bucket, "a", b"old")
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"new")
    new = uploader.begin(bucket, "never seen", 3)
    send_parts(new, b"new")

    assert uploader.download(bucket, "never seen").status_code == 404
    redirect = uploader.download(bucket, "a")
    assert http.request("GET", redirect.headers["Location"]).data == b"old"

    uploader.complete(upload)

    redirect = uploader.download(bucket, "a")
    assert http.request("GET", redirect.headers["Location"]).data == b"new"
    assert ObjectVersion.get_versions(bucket.id, "a").count() == 2


def test_abort_leaves_nothing_behind(uploader, bucket, store):
    upload = uploader.begin(bucket, "a", 2 * PART, part_size=PART)
    before = Bucket.get(bucket.id).size
    send_parts(upload, b"x" * 2 * PART, only=(1,))
    key = key_of(upload["urls"][0]["url"])

    uploader.delete(upload["links"]["abort"])

    assert (before, Bucket.get(bucket.id).size) == (2 * PART, 0)
    assert store.open_uploads(key) == {}
    assert ObjectVersion.get_by_bucket(bucket, versions=True, with_deleted=True).count() == 0


def test_objects_are_private(uploader, bucket):
    uploader.upload(bucket, "a", b"secret")
    location = uploader.download(bucket, "a").headers["Location"]

    assert http.request("GET", location).status == 200
    # rclone calls a request without any signature malformed.
    assert http.request("GET", location.partition("?")[0]).status in (400, 401, 403)


def test_the_file_instance_is_readable_and_fixed(uploader, bucket):
    done = uploader.upload(bucket, "a", b"abc")
    file = FileInstance.get(done["file"]["file_id"])
    assert (file.readable, file.writable, file.size) == (True, False, 3)
    assert file.checksum == done["file"]["checksum"]
