# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who gets temporary keys, over REST and as Uppy asks for them."""

from __future__ import annotations

import pytest

from oarepo_s3.models import Grant
from oarepo_s3.services import NewScope, create_scope, remove_scope

from ...people import UPLOADER, Person
from ..uppy import issue
from .wishes import KEYS, NAME, keys_of

# caller: keys for an upload, for a scope
EXPECTED = {
    "anonymous": (401, 401),
    "stranger": (404, 403),
    "reader": (403, 403),
    "other uploader": (403, 403),
    "owner": (201, 201),
    "revoked": (404, 403),
    "reader now": (403, 403),
}


@pytest.mark.parametrize("caller", EXPECTED)
def test_each_caller_gets_what_the_table_says(app, person, uploader, bucket, scope, caller):
    upload = uploader.begin(bucket, "a", 3)
    who = {
        "anonymous": lambda: Person(app),
        "stranger": person,
        "reader": lambda: person().grant(bucket, "bucket-read", "object-read"),
        "other uploader": lambda: person().grant(bucket, *UPLOADER),
    }.get(caller, lambda: uploader)()
    if caller in ("revoked", "reader now"):
        uploader.revoke(bucket)
    if caller == "reader now":
        uploader.grant(bucket, "bucket-read")
    answers = who.post(keys_of(upload)), who.post(KEYS, json={"scope": NAME})
    assert tuple(answer.status_code for answer in answers) == EXPECTED[caller]


def test_a_scope_that_nobody_owns_gives_nobody_keys(person, bucket):
    create_scope(NewScope("no:one", "default", "no/one", bucket_id=bucket.id))
    try:
        someone = person().grant(bucket, *UPLOADER)
        assert someone.post(KEYS, json={"scope": "no:one"}).status_code == 403
    finally:
        remove_scope("no:one")


def test_companion_gives_keys_for_the_scope_of_the_tokens_bucket(
    app, uploader, bucket, scope, page
):
    uppy = page(issue(uploader, bucket)["companion_url"])
    answer = uppy.call("GET", "/sts")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    keys = answer.get_json()
    names = {"AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration"}
    assert keys["credentials"].keys() == names
    assert (keys["bucket"], keys["region"]) == ("oarepo-test", "us-east-1")
    assert app.test_client().head(f"{uppy.endpoint}/s3/sts").status_code == 405
    row = Grant.query.filter_by(access_key=keys["credentials"]["AccessKeyId"]).one()
    assert (row.scope_id, row.user_id) == (scope.id, uploader.user_id)


def test_companion_has_none_for_a_bucket_without_a_scope(uploader, bucket, page):
    uppy = page(issue(uploader, bucket)["companion_url"])
    answer = uppy.call("GET", "/sts")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "no_scope")
    assert answer.status.startswith("409 The bucket has no scope")


def test_companion_gives_none_of_somebody_elses(person, bucket, scope, page):
    other = person().grant(bucket, *UPLOADER)
    uppy = page(issue(other, bucket)["companion_url"])
    assert uppy.call("GET", "/sts").status_code == 403
