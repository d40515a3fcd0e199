# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Real answers of every call, successes and refusals, are as the OpenAPI document says.

The fixture ``person`` compares each answer; here it is seen that none is left out.
"""

from __future__ import annotations

import uuid

from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload

from ..people import Person, put

PART = 5 * 2**20

OUT_OF_REACH = {
    ("abortUpload", 400),  # a missing CSRF token: see test_csrf
    ("beginUpload", 409),  # aborted while the store was asked: see test_create in tests/rules
    ("getPartUrls", 502),  # credentials that have ended
}


def test_real_answers_of_every_call_are_as_the_document_says(
    app, person, watched, uploader, bucket, location, contract, monkeypatch
):
    everybody = [uploader, watched(Person(app)), person(), person().grant(bucket, "bucket-read")]
    monkeypatch.setitem(app.config, "OAREPO_S3_PAGE_SIZE", 1)
    monkeypatch.setattr("oarepo_s3.views.uploads.PARTS_PAGE", 1)
    begun = uploader.begin(bucket, "a", PART + 3, part_size=PART)
    _each_call(everybody, bucket, begun)
    for query in ("?page=0", "?state=pending"):
        uploader.get(f"/multipart-uploads{query}")
    for parts in ("", "1,2", "1-3", "1-2000"):
        uploader.get(begun["links"]["urls"], query_string={"parts": parts})
    put(begun["urls"][0]["url"], b"x" * PART)
    uploader.complete(begun)
    put(begun["urls"][1]["url"], b"x")
    uploader.complete(begun)
    put(begun["urls"][1]["url"], b"xyz")
    assert uploader.get(begun["links"]["parts"]).get_json()["links"]
    uploader.get(begun["links"]["parts"] + "?after=-1")
    for claim in ("", "1" * 32):
        numbers = (1, 2) if claim else (1, 2, 3)
        parts = [{"PartNumber": number, "ETag": claim or "x"} for number in numbers]
        uploader.complete(begun, json={"parts": parts})
    uploader.complete(begun, json={"parts": 1})
    _with_other_rows(uploader, bucket, begun)
    assert uploader.complete(begun).status_code == 200
    uploader.get(begun["links"]["self"])
    assert uploader.get("/multipart-uploads").get_json()["links"] == {}
    _refused_to_begin(uploader, bucket)
    _ended(uploader, bucket, begun)

    expected = {
        (name, int(status))
        for name, (_, _, operation) in contract.operations.items()
        for status in operation["responses"]
        if status not in ("429", "503") and operation["tags"] == ["uploads"]
    }
    seen = {(name, status) for name, status, _ in contract.seen}
    assert seen - {("getOpenapi", 200)} == expected - OUT_OF_REACH - {("getOpenapi", 200)}


def _each_call(everybody, bucket, upload):
    """Anybody looks at everything, and nobody changes anything."""
    for caller in everybody:
        caller.post("/multipart-uploads", json={"bucket": str(bucket.id), "key": "", "size": 1})
        links = [upload["links"][name] for name in ("self", "urls", "parts")]
        for address in ("/multipart-uploads", *links):
            caller.get(address, query_string={"parts": "1"})
        caller.post(upload["links"]["complete"])
        if caller is not everybody[0]:
            caller.delete(upload["links"]["abort"])


def _with_other_rows(uploader, bucket, begun):
    """Change what the database has of an upload, and change it back."""
    row = db.session.get(Upload, uuid.UUID(begun["id"]))
    calls = [
        lambda: uploader.get(begun["links"]["urls"] + "?parts=1"),
        lambda: uploader.get(begun["links"]["parts"]),
        lambda: uploader.complete(begun),
    ]
    for name, value in (
        ("expires_at", utcnow()),
        ("uri", "nowhere://bucket/key"),
        ("uri", f"s3://no-such-bucket-{begun['id'][:8]}/key"),
        ("store_upload_id", None),
    ):
        before = getattr(row, name)
        for call in calls[: 1 if name == "expires_at" else 3]:
            setattr(row, name, value)
            db.session.commit()
            call()
        setattr(row, name, before)
        db.session.commit()


def _refused_to_begin(uploader, bucket):
    """A locked bucket, none, and locations that no back end or no store knows."""
    body = {"bucket": str(bucket.id), "key": "b", "size": 10}
    uploader.post("/multipart-uploads", json={**body, "bucket": str(uuid.uuid4())})
    for name, value, reset in (
        ("locked", True, False),
        ("quota_size", 1, None),
        ("max_file_size", 1, None),
    ):
        _set(Bucket, bucket.id, name, value)
        assert uploader.post("/multipart-uploads", json=body).status_code in (400, 403)
        _set(Bucket, bucket.id, name, reset)
    uri = bucket.location.uri
    for wrong in ("nowhere://bucket", f"s3://no-such-bucket-{uuid.uuid4().hex[:8]}"):
        _set(Location, bucket.location.id, "uri", wrong)
        try:
            assert uploader.post("/multipart-uploads", json=body).status_code in (500, 502)
        finally:
            _set(Location, bucket.location.id, "uri", uri)


def _ended(uploader, bucket, completed):
    """A completed upload, aborted ones, and one whose store forgot it."""
    uploader.delete(completed["links"]["abort"])
    upload = uploader.begin(bucket, "c", 3)
    uri = db.session.get(Upload, uuid.UUID(upload["id"])).uri
    for wrong in ("nowhere://bucket/key", f"s3://no-such-bucket-{upload['id'][:8]}/key"):
        _set(Upload, uuid.UUID(upload["id"]), "uri", wrong)
        assert uploader.delete(upload["links"]["abort"]).status_code in (500, 502)
    _set(Upload, uuid.UUID(upload["id"]), "uri", uri)
    assert uploader.delete(upload["links"]["abort"]).status_code == 204
    for answer in (
        uploader.complete(upload),
        uploader.get(upload["links"]["urls"] + "?parts=1"),
        uploader.get(upload["links"]["parts"]),
    ):
        assert answer.status_code == 409
    lost = uploader.begin(bucket, "d", 3)
    _set(Upload, uuid.UUID(lost["id"]), "store_upload_id", upload_id_of(upload))
    assert uploader.get(lost["links"]["parts"]).get_json()["code"] == "upload_lost"
    assert uploader.complete(lost).get_json()["code"] == "upload_not_pending"
    assert uploader.get(lost["links"]["self"]).get_json()["reason"]


def upload_id_of(upload):
    return db.session.get(Upload, uuid.UUID(upload["id"])).store_upload_id


def _set(model, key, name, value):
    setattr(db.session.get(model, key), name, value)
    db.session.commit()
