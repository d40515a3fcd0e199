# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Ids and URLs that were guessed, changed, kept for too long or sent with wrong bytes."""

from __future__ import annotations

import hashlib
import os
import time
import uuid
from urllib.parse import quote

import pytest
from invenio_files_rest.models import Bucket

from ..people import OWNER, cut, http, key_of, put, send_parts

PART = 5 * 2**20

FORGED = [
    "00000000-0000-4000-8000-000000000000",
    "1",
    "1' OR '1'='1",
    "1; DROP TABLE oarepo_s3_upload",
    "..",
    "%00",
    "%0d%0aSet-Cookie:%20a",
    "{}",
    "x" * 2000,
    "\u2028",
    "{bucket}",
    "{file}",
    "{store}",
]
CALLS = [("get", ""), ("delete", ""), ("get", "/urls?parts=1"), ("get", "/parts")]
CALLS += [("post", "/complete")]


@pytest.mark.parametrize(("method", "rest"), CALLS)
@pytest.mark.parametrize("forged", FORGED)
def test_only_an_uploads_own_id_opens_it(uploader, bucket, forged, method, rest):
    from oarepo_s3.services import get_upload

    begun = uploader.begin(bucket, "a", 3)
    upload = get_upload(uuid.UUID(begun["id"]))
    forged = forged.replace("{bucket}", str(bucket.id)).replace("{file}", str(upload.file_id))
    forged = forged.replace("{store}", upload.store_upload_id)

    answer = getattr(uploader, method)(f"/multipart-uploads/{quote(forged, safe='%')}{rest}")

    assert answer.status_code == 404
    assert "Set-Cookie: a" not in str(answer.headers)
    state = uploader.get(begun["links"]["self"]).get_json()["state"]
    assert (state, Bucket.get(bucket.id).size) == ("pending", 3)


@pytest.mark.parametrize(("method", "rest"), CALLS)
def test_rights_on_one_bucket_open_no_upload_of_another(
    uploader, person, bucket, location, method, rest
):
    theirs = uploader.begin(bucket, "a", 3)
    own = Bucket.create(location=location)
    somebody = person().grant(own, *OWNER)

    answer = getattr(somebody, method)(f"/multipart-uploads/{theirs['id']}{rest}")

    assert (answer.status_code, answer.get_json()["code"]) == (404, "upload_not_found")
    assert uploader.get(theirs["links"]["self"]).get_json()["state"] == "pending"


def fingerprint(store, key):
    """Return what tells one object from another: size, ETag, and its bytes."""
    got = store.client().get_object(Bucket=store.bucket, Key=key)
    return got["ContentLength"], got["ETag"], hashlib.sha256(got["Body"].read()).hexdigest()


def test_a_part_url_changes_nothing_after_completion(uploader, bucket, store):
    content = os.urandom(PART + 1)
    upload = uploader.begin(bucket, "a", len(content), part_size=PART)
    send_parts(upload, content)
    uploader.complete(upload)
    key = key_of(upload["urls"][0]["url"])
    before = fingerprint(store, key)
    assert before[2] == hashlib.sha256(content).hexdigest()

    answers = [http.request("PUT", item["url"], body=b"evil") for item in upload["urls"]]

    assert {answer.status for answer in answers} <= {403, 404}
    assert fingerprint(store, key) == before
    assert store.open_uploads(key) == {}


def test_a_part_url_brings_nothing_back_after_an_abort(uploader, bucket, store):
    upload = uploader.begin(bucket, "a", 4)
    url = upload["urls"][0]["url"]
    put(url, b"good")
    uploader.delete(upload["links"]["abort"])

    assert http.request("PUT", url, body=b"evil").status in (403, 404)

    assert store.open_uploads(key_of(url)) == {}
    assert "Contents" not in store.client().list_objects_v2(Bucket=store.bucket, Prefix=key_of(url))


def test_a_part_url_ends_with_its_own_life(app, uploader, bucket, place, monkeypatch):
    monkeypatch.setitem(app.config, "OAREPO_S3_PART_URL_LIFETIME", 1)
    upload = uploader.begin(bucket, "a", 4)
    time.sleep(2.5)

    late = http.request("PUT", upload["urls"][0]["url"], body=b"late")

    assert late.status == {"real": 403, "local": 400}[place]
    assert uploader.get(upload["links"]["parts"]).get_json()["parts"] == []
    monkeypatch.setitem(app.config, "OAREPO_S3_PART_URL_LIFETIME", 3600)
    fresh = uploader.get(upload["links"]["urls"] + "?parts=1").get_json()["urls"][0]["url"]
    put(fresh, b"good")
    assert uploader.complete(upload).status_code == 200


@pytest.mark.parametrize("what", ["part", "beyond the plan", "key", "upload", "time", "type"])
def test_a_changed_part_url_is_refused_by_the_store(uploader, bucket, what):
    upload = uploader.begin(bucket, "a", 2 * PART, part_size=PART)
    other = uploader.begin(bucket, "b", PART, part_size=PART)
    url, others = upload["urls"][0]["url"], other["urls"][0]["url"]
    assert put(others, b"x")
    changed = {
        "part": url.replace("partNumber=1&", "partNumber=2&"),
        "beyond the plan": url.replace("partNumber=1&", "partNumber=3&"),
        "key": url.replace(key_of(url), key_of(others)),
        "upload": url.replace(value_of(url, "uploadId"), value_of(others, "uploadId")),
        "time": url.replace("X-Amz-Expires=", "X-Amz-Expires=9"),
        "type": f"{url}&response-content-type=text%2Fhtml",
    }[what]
    assert changed != url

    assert http.request("PUT", changed, body=b"evil").status == 403

    assert uploader.get(upload["links"]["parts"]).get_json()["parts"] == []
    sizes = [part["size"] for part in uploader.get(other["links"]["parts"]).get_json()["parts"]]
    assert sizes == [1]


def value_of(url, name):
    """Return a parameter of a URL, as it is written there."""
    return url.partition(f"{name}=")[2].partition("&")[0]


@pytest.mark.parametrize("sent", [PART - 1, PART + 1, 2 * PART], ids=["less", "more", "twice"])
def test_a_part_that_is_not_as_planned_is_named_and_can_be_mended(uploader, bucket, sent):
    content = os.urandom(2 * PART)
    upload = uploader.begin(bucket, "a", len(content), part_size=PART)
    send_parts(upload, content)
    put(upload["urls"][0]["url"], os.urandom(sent))

    answer = uploader.complete(upload)

    error = answer.get_json()
    assert (answer.status_code, error["code"]) == (400, "part_size_mismatch")
    assert [item["field"] for item in error["errors"]] == ["parts.1"]
    assert uploader.get(upload["links"]["self"]).get_json()["state"] == "pending"
    assert uploader.download(bucket, "a").status_code == 404
    put(upload["urls"][0]["url"], cut(upload, content, 1))
    assert uploader.complete(upload).status_code == 200
    got = http.request("GET", uploader.download(bucket, "a").headers["Location"])
    assert got.data == content
