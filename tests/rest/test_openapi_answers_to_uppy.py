# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Real answers about tokens and of Companion's routes are as the OpenAPI document says, too."""

from __future__ import annotations

import uuid

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload

from ..people import Person
from .uppy import PART, TOKENS, issue

OUT_OF_REACH = {
    ("revokeToken", 400),  # a missing CSRF token: see test_companion_csrf
    ("companionCreate", 409),  # aborted while the store was asked: see test_create in tests/rules
    ("companionParams", 409),
    ("companionSignPart", 502),  # credentials that have ended
    ("companionSignParts", 502),
}


@pytest.fixture(scope="module")
def app_config(app_config):
    """A store of a kind that takes forms; none is sent here."""
    app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


def test_real_answers_are_as_the_document_says(
    app, person, watched, uploader, bucket, page, uppy, contract
):
    reader = person().grant(bucket, "bucket-read")
    for someone in (uploader, watched(Person(app)), reader, person()):
        for body in ({"bucket": str(bucket.id)}, {}):
            answer = someone.post(TOKENS, json=body)
        someone.delete(f"{TOKENS}/{uuid.uuid4()}")
    assert uploader.delete(issue(uploader, bucket)["links"]["self"]).status_code == 204
    assert answer.status_code == 400

    created = uppy.create("a", PART + 3)
    each(page("/multipart-uploads/companion/x"), created)
    each(uppy, {**created, "key": "b"})
    uploader.revoke(bucket)
    each(uppy, created)
    uploader.grant(bucket, "bucket-read")
    each(uppy, created)
    uploader.grant(bucket, "bucket-update", "object-read")
    each(uppy, {**created, "uploadId": str(uuid.uuid4())})
    with_other_rows(uppy, created)
    refused_to_begin(uppy, bucket)

    parts = uppy.send(created, bytes(PART + 3))
    assert uppy.complete(created, parts).status_code == 200
    each(uppy, created)
    other = uppy.create("b", 3)
    assert uppy.abort(other).status_code == 200
    each(uppy, other)

    expected = {
        (name, int(status))
        for name, (_, _, operation) in contract.operations.items()
        for status in operation["responses"]
        if status not in ("429", "503")
        and operation["tags"] in (["tokens"], ["companion"])
        # needs a store with STS: see credentials/
        and name != "companionSts"
    }
    seen = {(name, status) for name, status, _ in contract.seen}
    assert expected - seen == OUT_OF_REACH


def each(page, created):
    """Call everything, without sending a part; complete finds nothing."""
    page.ask("a")
    page.ask("", size=3)
    page.params("form", 3)
    page.params("form", None)
    page.list(created)
    page.sign(created, 1)
    page.sign(created, 7)
    page.of(created, "/batch", partNumbers="1")
    page.complete(created, [])
    page.abort({**created, "key": f"not {created['key']}"})
    if created["key"] != "a" or page.sign(created, 1).status_code != 200:
        page.abort(created)


def with_other_rows(uppy, created):
    """Change what the database has of an upload, and change it back."""
    upload_id = uuid.UUID(created["uploadId"])
    for name, value in (
        ("expires_at", utcnow()),
        ("uri", "nowhere://bucket/key"),
        ("uri", f"s3://no-such-bucket-{created['uploadId'][:8]}/key"),
    ):
        before = getattr(db.session.get(Upload, upload_id), name)
        change(Upload, upload_id, name, value)
        uppy.sign(created, 1)
        uppy.of(created, "/batch", partNumbers="1")
        if name == "uri":
            uppy.list(created)
            uppy.complete(created, [{"PartNumber": n, "ETag": "x"} for n in (1, 2)])
            assert uppy.abort(created).status_code in (500, 502)
            change(Upload, upload_id, "state", "pending")
        change(Upload, upload_id, name, before)


def refused_to_begin(uppy, bucket):
    """Locations that no back end or no store knows."""
    uri = bucket.location.uri
    for wrong, status in (("nowhere://bucket", 500), ("s3://no-such-bucket-here", 502)):
        change(Location, bucket.location.id, "uri", wrong)
        try:
            assert uppy.ask("b", size=10).status_code == status
            assert uppy.params("b", 10).status_code == status
        finally:
            change(Location, bucket.location.id, "uri", uri)
    change(Bucket, bucket.id, "locked", True)
    assert uppy.ask("b", size=10).status_code == 403
    change(Bucket, bucket.id, "locked", False)


def change(model, key, name, value):
    setattr(db.session.get(model, key), name, value)
    db.session.commit()
