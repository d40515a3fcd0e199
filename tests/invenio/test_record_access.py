# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may call what below a record: the table of the REST API, for the other door."""

from __future__ import annotations

import uuid

import pytest
from invenio_files_rest.models import Bucket

from oarepo_s3.services import get_upload

from ..people import OWNER, UPLOADER, Person, put
from .records import begin, mount

# call: method and address below the file
CALLS = {
    "complete-multipart": ("post", "complete-multipart"),
    "abort-multipart": ("post", "abort-multipart"),
    "abort-multipart, DELETE": ("delete", "abort-multipart"),
    "complete": ("post", "{id}/complete"),
    "abort": ("post", "{id}/abort"),
    "abort, DELETE": ("delete", "{id}/abort"),
    "parts": ("get", "{id}/parts"),
    "presigned": ("get", "{id}/1/presigned"),
}

# caller: the calls in their order above
EXPECTED = {
    "anonymous": (401,) * 8,
    "stranger": (404,) * 8,
    "reader": (403,) * 8,
    "other uploader": (403,) * 8,
    "multipart reader": (403, 403, 403, 403, 403, 403, 200, 403),
    "uploader": (200, 200, 204, 200, 200, 204, 200, 200),
    "bucket owner": (200, 200, 204, 200, 200, 204, 200, 200),
    "revoked in mid-upload": (404,) * 8,
}
CODES = {401: "not_authenticated", 403: "forbidden", 404: "upload_not_found"}
BY_ID = [name for name, (_, address) in CALLS.items() if "{id}" in address]


@pytest.fixture(scope="module")
def app(app, place):
    """The application, with record routes."""
    return mount(app)


@pytest.fixture
def people(app, person, bucket):
    """One of each, the uploader being the one who began the upload."""
    uploader = person().grant(bucket, *UPLOADER)
    return {
        "anonymous": Person(app),
        "stranger": person(),
        "reader": person().grant(bucket, "bucket-read", "object-read"),
        "other uploader": person().grant(bucket, *UPLOADER),
        "multipart reader": person().grant(bucket, "bucket-read", "multipart-read"),
        "uploader": uploader,
        "bucket owner": person().grant(bucket, *OWNER),
        "revoked in mid-upload": uploader,
    }


@pytest.fixture
def session(people, bucket):
    """An upload of the uploader, with all of its bytes sent."""
    session = begin(bucket, people["uploader"], b"abc")
    put(session.part_urls[0], b"abc")
    return session


def call(person, name, bucket, upload_id, key="data.bin"):
    """Make a call of the table."""
    method, address = CALLS[name]
    base = f"/records/{getattr(bucket, 'id', bucket)}/files/{key}"
    return getattr(person, method)(f"{base}/{address.format(id=upload_id)}")


def is_untouched(session, bucket):
    """Whether the upload stands as it was, and can be completed."""
    upload = get_upload(uuid.UUID(session.id))
    return (upload.state, upload.reserved, Bucket.get(bucket.id).size) == ("pending", 0, 3)


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("caller", EXPECTED)
def test_each_caller_gets_what_the_table_says(people, session, bucket, caller, name):
    if caller == "revoked in mid-upload":
        people["uploader"].revoke(bucket)

    answer = call(people[caller], name, bucket, session.id)

    expected = EXPECTED[caller][list(CALLS).index(name)]
    assert answer.status_code == expected
    if expected >= 400:
        assert answer.get_json()["code"] == CODES[expected]
        assert is_untouched(session, bucket)


def test_who_was_refused_everything_has_changed_nothing(people, session, bucket):
    for caller in ("anonymous", "stranger", "reader", "other uploader"):
        for name in CALLS:
            call(people[caller], name, bucket, session.id)
    assert is_untouched(session, bucket)
    assert call(people["uploader"], "complete", bucket, session.id).status_code == 200


FORGED = [
    "00000000-0000-4000-8000-000000000000",
    "no-uuid",
    "1",
    "1' OR '1'='1",
    "%00",
    "..",
    "{other key}",
    "{other bucket}",
]


@pytest.mark.parametrize("name", BY_ID)
@pytest.mark.parametrize("forged", FORGED)
def test_an_upload_that_is_not_of_this_file_is_not_found(
    people, session, bucket, location, name, forged
):
    uploader = people["uploader"]
    elsewhere = Bucket.create(location=location)
    uploader.grant(elsewhere, *OWNER)
    others = {
        "{other key}": begin(bucket, uploader, b"", key="other.bin").id,
        "{other bucket}": begin(elsewhere, uploader, b"xyz").id,
    }

    answer = call(uploader, name, bucket, others.get(forged, forged))

    assert answer.status_code == 404
    assert all(get_upload(uuid.UUID(i)).state == "pending" for i in others.values())
    assert is_untouched(session, bucket)
    assert Bucket.get(elsewhere.id).size == 3


@pytest.mark.parametrize("name", CALLS)
def test_an_upload_is_not_found_at_another_record_or_key(people, session, bucket, location, name):
    uploader = people["uploader"]
    elsewhere = Bucket.create(location=location)
    uploader.grant(elsewhere, *OWNER)

    at_record = call(uploader, name, elsewhere, session.id)
    at_key = call(uploader, name, bucket, session.id, key="other.bin")

    for answer in (at_record, at_key):
        assert (answer.status_code, answer.get_json()["code"]) == (404, "upload_not_found")
    assert is_untouched(session, bucket)
