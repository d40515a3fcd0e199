# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""One upload, and the store's side of it."""

from __future__ import annotations

import uuid

from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.services import get_upload

from ...people import send_parts
from ...rest.outcomes import change
from .rows import MIB, email_of, state_of


def test_show_tells_what_the_store_has_of_an_open_upload(run, ask, uploader, bucket):
    content = bytes(15 * MIB) + b"tail"
    upload = uploader.begin(bucket, "a", len(content), part_size=5 * MIB)
    send_parts(upload, content, only=(1, 3))
    shown = ask("show", upload["id"])
    assert shown["key"] == "a"
    assert shown["owner"] == email_of(uploader)
    assert shown["store_error"] is None
    assert shown["store"] == {
        "known": True,
        "parts": 2,
        "bytes": 10 * MIB,
        "highest_part": 3,
        "missing_parts": 2,
        "form": False,
        "object": None,
    }
    assert (
        "at the store: 2 parts of 10.0 MiB (10485760 bytes), the highest is 3, 2 are missing"
        in run("show", upload["id"]).stdout.splitlines()
    )


def test_show_tells_of_the_object_of_a_completed_upload(run, ask, uploader, bucket):
    upload = uploader.upload(bucket, "a", b"abc")
    side = ask("show", upload["id"])["store"]
    assert side["known"] is False
    assert side["object"]["size"] == 3
    assert side["object"]["proved"] is True
    lines = run("show", upload["id"]).stdout.splitlines()
    assert "at the store: it does not know this multipart upload" in lines
    assert [line for line in lines if line.startswith("object: 3 bytes, ETag")]


def test_show_finds_an_object_that_is_not_the_uploads_own(run, uploader, bucket, store):
    upload = uploader.begin(bucket, "a", 3)
    key = ObjectURI.parse(get_upload(uuid.UUID(upload["id"])).uri).key
    store.client().put_object(Bucket=store.bucket, Key=key, Body=b"xyz")
    assert "NOT made by this upload" in run("show", upload["id"]).stdout


def test_show_says_that_the_store_has_lost_an_upload(ask, uploader, bucket, store):
    upload = uploader.begin(bucket, "a", 3)
    ((upload_id, key),) = store.open_uploads().items()
    store.client().abort_multipart_upload(Bucket=store.bucket, Key=key, UploadId=upload_id)
    shown = ask("show", upload["id"])
    assert (shown["state"], shown["store"]["known"]) == ("pending", False)
    assert state_of(upload) == "pending", "looking changes nothing"


def test_show_finds_an_upload_whose_id_the_row_does_not_know(ask, uploader, bucket):
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    change(upload, store_upload_id=None)
    side = ask("show", upload["id"])["store"]
    assert (side["known"], side["parts"]) == (True, 1)


def test_show_tells_that_a_form_has_come(run, ask, uploader, bucket, store):
    upload = uploader.begin(bucket, "a", 3)
    change(upload, form_uri=f"s3://{store.bucket}/oarepo-s3-forms/{upload['id']}")
    assert ask("show", upload["id"])["store"]["form"] is False
    store.client().put_object(
        Bucket=store.bucket, Key=f"oarepo-s3-forms/{upload['id']}", Body=b"abc"
    )
    assert "form: the file has come by a form" in run("show", upload["id"]).stdout.splitlines()


def test_the_row_is_shown_when_the_store_is_away(run, ask, uploader, bucket, away):
    upload = uploader.begin(bucket, "a", 3)
    away()
    result = run("show", upload["id"], status=1)
    assert f"id: {upload['id']}" in result.stdout
    assert "cannot be reached" in result.stderr
    shown = ask("show", upload["id"], status=1)
    assert shown["store"] is None
    assert "store_unavailable" in shown["store_error"]
