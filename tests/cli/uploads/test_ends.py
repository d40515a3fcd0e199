# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads are ended: by hand, by the sweep and by the recovery; and what no session knows."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.models import Upload, UploadToken
from oarepo_s3.services.create import object_uri

from ...people import NOWHERE, send_parts
from ...rest.outcomes import change
from .rows import ids, state_of


def test_an_id_that_nothing_has_is_refused(run):
    for command in ("show", "abort"):
        assert "upload_not_found" in run(command, NOWHERE, status=1).stderr
        assert run(command, "7", status=2)


def test_abort_drops_uploads_and_may_be_repeated(run, ask, uploader, bucket, store):
    first, second = (uploader.begin(bucket, key, 3) for key in "ab")
    assert run("abort", "--dry-run", first["id"]).stdout == f"{first['id']}: would be aborted\n"
    assert state_of(first) == "pending"
    for _ in range(2):
        assert run("abort", first["id"]).stdout == f"{first['id']}: aborted\n"
    assert run("abort", first["id"], "--dry-run").stdout == f"{first['id']}: aborted\n"
    assert len(store.open_uploads()) == 1
    said = ask("abort", first["id"], second["id"])
    aborted = [{"id": upload["id"], "state": "aborted"} for upload in (first, second)]
    assert said == {"dry_run": False, "uploads": aborted}
    assert store.open_uploads() == {}


def test_what_cannot_be_aborted_does_not_stop_the_others(run, ask, uploader, bucket):
    done = uploader.upload(bucket, "done", b"abc")
    upload = uploader.begin(bucket, "a", 3)
    dry = ask("abort", NOWHERE, done["id"], upload["id"], "--dry-run", status=1)
    assert [u.get("code") for u in dry["uploads"]] == [
        "upload_not_found",
        "upload_not_pending",
        None,
    ]
    result = run("abort", NOWHERE, done["id"], upload["id"], status=1)
    assert "upload_not_found" in result.stderr
    assert "upload_not_pending" in result.stderr
    assert (state_of(done), state_of(upload)) == ("completed", "aborted")


def test_an_abort_without_a_store_fails_and_is_finished_later(run, uploader, bucket, away, store):
    upload = uploader.begin(bucket, "a", 3)
    away()
    assert "store_unavailable" in run("abort", upload["id"], status=1).stderr
    assert state_of(upload) == "aborting"


def test_the_sweep_first_says_what_it_would_do(run, ask, uploader, bucket, store):
    over, fresh = (uploader.begin(bucket, key, 3) for key in ("over", "fresh"))
    change(over, expires_at=utcnow() - timedelta(seconds=5))
    assert ids(ask("sweep", "--dry-run")) == [over["id"]]
    assert over["id"] in run("sweep", "--dry-run").stdout
    assert state_of(over) == "pending"
    assert len(store.open_uploads()) == 2
    assert run("sweep").stdout == "expired: 1\naborted: 1\nfailed: 0\n"
    assert (state_of(over), state_of(fresh)) == ("aborted", "pending")
    assert ask("sweep") == {"dry_run": False, "expired": 0, "aborted": 0, "failed": 0}
    assert ids(ask("sweep", "--dry-run")) == []


@pytest.mark.parametrize("command", ["sweep", "recover", "orphans"])
def test_machines_find_in_a_dry_run_all_that_is_there_without_it(ask, uploader, bucket, command):
    upload = uploader.begin(bucket, "a", 3)
    change(upload, expires_at=utcnow() - timedelta(seconds=5), updated_at=Upload.updated_at)
    dry = ask(command, "--dry-run")
    wet = ask(command, *(["--abort"] if command == "orphans" else []))
    assert (dry["dry_run"], wet["dry_run"]) == (True, False)
    assert dry.keys() >= wet.keys()
    assert dry.keys() - wet.keys() <= {"uploads", "count", "bytes", "bytes_held"}
    # Nothing was done yet.
    assert {name: dry[name] for name in ("aborted", "failed")} == {"aborted": 0, "failed": 0}


@pytest.mark.parametrize("command", ["sweep", "recover"])
def test_a_dry_run_leaves_out_what_a_task_is_at(ask, uploader, bucket, command):
    upload = uploader.begin(bucket, "a", 3)
    state = {"sweep": "expired", "recover": "aborting"}[command]
    change(upload, state=state, updated_at=utcnow() - timedelta(hours=1))
    assert ids(ask(command, "--dry-run")) == [upload["id"]]
    change(upload, rests_until=utcnow() + timedelta(minutes=5), updated_at=Upload.updated_at)
    assert ids(ask(command, "--dry-run")) == []


def test_the_sweep_takes_expired_tokens_along_as_the_task_does(run, bucket, uploader):
    moment = utcnow() - timedelta(seconds=5)
    token = UploadToken(user_id=uploader.user_id, bucket_id=bucket.id, expires_at=moment)
    db.session.add(token)
    db.session.commit()
    run("sweep", "--dry-run")
    assert db.session.query(UploadToken).count() == 1
    run("sweep")
    assert db.session.query(UploadToken).count() == 0


def test_a_sweep_that_fails_says_so(run, ask, uploader, bucket, away):
    over = uploader.begin(bucket, "over", 3)
    change(over, expires_at=utcnow() - timedelta(seconds=5))
    away()
    result = run("sweep", status=1)
    assert result.stdout == "expired: 1\naborted: 0\nfailed: 1\n"
    assert "1 failed" in result.stderr


def test_what_was_interrupted_is_finished(run, ask, uploader, bucket):
    upload, fresh = (uploader.begin(bucket, key, 3) for key in ("a", "b"))
    send_parts(upload, b"abc")
    change(upload, state="completing", updated_at=utcnow() - timedelta(hours=1))
    assert ids(ask("recover", "--dry-run")) == [upload["id"]]
    assert state_of(upload) == "completing"
    assert run("recover").stdout == "completed: 1\naborted: 0\nlost: 0\nfailed: 0\n"
    assert (state_of(upload), state_of(fresh)) == ("completed", "pending")
    nothing = {"completed": 0, "aborted": 0, "lost": 0, "failed": 0}
    assert ask("recover") == {"dry_run": False, **nothing}


def test_orphans_are_counted_and_on_demand_aborted(run, ask, uploader, bucket, store, location):
    known = uploader.begin(bucket, "known", 3)
    key = ObjectURI.parse(object_uri(location.uri, uuid.uuid4())).key
    client = store.client()
    orphan = client.create_multipart_upload(Bucket=store.bucket, Key=key)["UploadId"]
    client.upload_part(
        Bucket=store.bucket, Key=key, UploadId=orphan, PartNumber=1, Body=b"some bytes"
    )
    found = {"dry_run": True, "found": 1, "aborted": 0, "failed": 0, "bytes": 10, "unlisted": []}
    assert ask("orphans") == found
    assert ask("orphans", "--dry-run") == ask("orphans", "--abort", "--dry-run") == found
    assert orphan in store.open_uploads()
    assert run("orphans", "--abort").stdout == "found: 1\naborted: 1\nfailed: 0\nbytes: 10\n"
    assert ask("orphans") == {**found, "found": 0, "bytes": 0}
    assert state_of(known) == "pending"
    assert len(store.open_uploads()) == 1


def test_a_store_that_cannot_tell_of_orphans_is_named(run, location, away):
    away()
    result = run("orphans", status=1)
    assert "unlisted: default" in result.stdout
    assert "Nothing is known of orphans in default" in result.stderr
