# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may call what: a table of callers and calls."""

from __future__ import annotations

import pytest
from invenio_files_rest.models import Bucket

from ..people import OWNER, UPLOADER, Person, send_parts

CALLS = {
    "begin": lambda p, u, b: p.post(
        "/multipart-uploads", json={"bucket": str(b.id), "key": "new", "size": 1}
    ),
    "list": lambda p, u, b: p.get("/multipart-uploads"),
    "show": lambda p, u, b: p.get(u["links"]["self"]),
    "urls": lambda p, u, b: p.get(u["links"]["urls"] + "?parts=1"),
    "parts": lambda p, u, b: p.get(u["links"]["parts"]),
    "complete": lambda p, u, b: p.complete(u),
    "abort": lambda p, u, b: p.delete(u["links"]["abort"]),
}

# caller: begin, list, show, urls, parts, complete, abort
EXPECTED = {
    "anonymous": (401, 401, 401, 401, 401, 401, 401),
    "stranger": (404, 200, 404, 404, 404, 404, 404),
    "reader": (403, 200, 403, 403, 403, 403, 403),
    "other uploader": (201, 200, 403, 403, 403, 403, 403),
    "uploader": (201, 200, 200, 200, 200, 200, 204),
    "bucket owner": (201, 200, 200, 200, 200, 200, 204),
    "revoked in mid-upload": (404, 200, 404, 404, 404, 404, 404),
}


@pytest.fixture
def people(app, person, bucket):
    """One of each, the uploader being the one who began the upload."""
    uploader = person().grant(bucket, *UPLOADER)
    return {
        "anonymous": Person(app),
        "stranger": person(),
        "reader": person().grant(bucket, "bucket-read", "object-read"),
        "other uploader": person().grant(bucket, *UPLOADER),
        "uploader": uploader,
        "bucket owner": person().grant(bucket, *OWNER),
        "revoked in mid-upload": uploader,
    }


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("caller", EXPECTED)
def test_each_caller_gets_what_the_table_says(people, bucket, caller, call):
    upload = people["uploader"].begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    if caller == "revoked in mid-upload":
        people["uploader"].revoke(bucket)

    answer = CALLS[call](people[caller], upload, bucket)

    assert answer.status_code == EXPECTED[caller][list(CALLS).index(call)]
    if answer.status_code >= 400:
        codes = {
            401: {"not_authenticated"},
            403: {"forbidden"},
            404: {"upload_not_found", "bucket_not_found"},
        }
        assert answer.get_json()["code"] in codes[answer.status_code]


def test_a_refused_call_changes_nothing(people, bucket):
    upload = people["uploader"].begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    for caller in ("anonymous", "stranger", "reader", "other uploader"):
        for call in ("complete", "abort", "urls"):
            CALLS[call](people[caller], upload, bucket)
    assert Bucket.get(bucket.id).size == 3
    assert people["uploader"].complete(upload).status_code == 200


def test_everybody_lists_their_own_uploads_only(app, people, bucket):
    mine = people["uploader"].begin(bucket, "mine", 1)
    theirs = people["other uploader"].begin(bucket, "theirs", 1)

    listed = people["uploader"].get("/multipart-uploads").get_json()["uploads"]

    assert [upload["id"] for upload in listed] == [mine["id"]]
    listed = people["other uploader"].get(
        "/multipart-uploads", query_string={"bucket": str(bucket.id), "state": "pending"}
    )
    assert [upload["id"] for upload in listed.get_json()["uploads"]] == [theirs["id"]]
    none = people["uploader"].get("/multipart-uploads?state=completed").get_json()
    assert none == {"uploads": [], "links": {}}


def test_the_list_comes_in_pages(app, people, bucket):
    app.config["OAREPO_S3_PAGE_SIZE"] = 2
    try:
        begun = [people["uploader"].begin(bucket, f"f{i}", 1)["id"] for i in range(5)]
        seen, address = [], "/multipart-uploads"
        while address:
            page = people["uploader"].get(address).get_json()
            assert len(page["uploads"]) <= 2
            seen += [upload["id"] for upload in page["uploads"]]
            address = page["links"].get("next")
    finally:
        app.config["OAREPO_S3_PAGE_SIZE"] = 25
    assert seen == begun[::-1]
