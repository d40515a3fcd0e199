# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 uploads``, at both places."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from invenio_accounts.proxies import current_datastore
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.cli import s3
from oarepo_s3.core.times import utcnow
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.models import Upload, UploadToken
from oarepo_s3.services import get_upload, queries
from oarepo_s3.services.create import object_uri

from ..people import NOWHERE, send_parts
from ..services import FaultProxy

MIB = 2**20


@pytest.fixture(scope="module")
def own_store(place, request):
    """The store of the place itself."""
    return request.getfixturevalue({"local": "rclone_store", "real": "ceph_store"}[place])


@pytest.fixture(scope="module")
def proxy(own_store) -> Iterator[FaultProxy]:
    """What is between everybody and the store."""
    with FaultProxy(urlsplit(own_store.endpoint_url).port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def store(place, own_store, proxy):
    """The store, behind the proxy."""
    return replace(own_store, endpoint_url=proxy.endpoint_url)


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A store that is away is noticed soon, and asked again at once."""
    app_config.update(
        OAREPO_S3_CONNECT_TIMEOUT=2,
        OAREPO_S3_SILENCE_PAUSE=0,
        OAREPO_S3_MAX_ATTEMPTS=1,
        OAREPO_S3_ORPHAN_GRACE=-60,
    )
    return app_config


@pytest.fixture
def away(proxy):
    """Take the store away, when it is called, until the test ends."""
    yield lambda: proxy.faults(refuse=True, reset_up=1)
    proxy.reset()


@pytest.fixture(autouse=True)
def _only_own_uploads(app, store):
    db.session.execute(db.delete(Upload))
    db.session.commit()
    client = store.client()
    for upload_id, key in open_uploads(store).items():
        client.abort_multipart_upload(Bucket=store.bucket, Key=key, UploadId=upload_id)


def open_uploads(store):
    client = store.client()
    try:
        listed = client.list_multipart_uploads(Bucket=store.bucket).get("Uploads", [])
    except client.exceptions.NoSuchUpload:
        return {}  # what rclone says of an empty list
    return {upload["UploadId"]: upload["Key"] for upload in listed}


@pytest.fixture
def run(app):
    """Run ``invenio s3 uploads ...``; the status is checked."""

    def run_command(*arguments, status=0):
        result = app.test_cli_runner().invoke(s3, ["uploads", *map(str, arguments)])
        db.session.rollback()
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return run_command


@pytest.fixture
def ask(run):
    """Run a command with ``--json``, and read what it says."""
    return lambda *arguments, **more: json.loads(run(*arguments, "--json", **more).stdout)


def change(upload, **columns):
    db.session.execute(db.update(Upload).where(Upload.id == upload["id"]).values(**columns))
    db.session.commit()


def state_of(upload):
    db.session.expire_all()
    return db.session.get(Upload, uuid.UUID(upload["id"])).state


def email_of(person):
    return db.session.get(current_datastore.user_model, person.user_id).email


def ids(listed):
    return [upload["id"] for upload in listed["uploads"]]


@pytest.fixture
def four(uploader, bucket):
    """Uploads that differ; the newest first."""
    done = uploader.upload(bucket, "done", b"abc")
    over = uploader.begin(bucket, "over", 10)
    large = uploader.begin(bucket, "large", 5 * MIB)
    fresh = uploader.begin(bucket, "fresh", 7)
    now = utcnow()
    for hours, upload in enumerate((fresh, large, over, done)):
        change(upload, created_at=now - timedelta(hours=hours, minutes=1))
    for upload in (over, done):
        change(upload, expires_at=now - timedelta(seconds=5))
    return {"fresh": fresh, "large": large, "over": over, "done": done}


def test_the_list_has_a_line_for_each_and_the_bytes_that_open_ones_hold(run, four, uploader):
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["ID", "STATE", "SIZE", "AGE", "LEFT", "OWNER", "KEY"]
    owner = email_of(uploader)
    expected = [
        ("fresh", "pending", "7", "B", "1m", "5d"),
        ("large", "pending", "5.0", "MiB", "1h", "5d"),
        ("over", "pending", "10", "B", "2h", "over"),
        ("done", "completed", "3", "B", "3h", "-"),
    ]
    for line, (key, *fields) in zip(lines[1:], expected, strict=False):
        assert line.split() == [four[key]["id"], *fields, owner, key]
    assert lines[5:] == ["4 uploads, 5.0 MiB held by those that are open"]


def test_nothing_is_listed_as_nothing(run, ask):
    assert run("list").stdout == "0 uploads, 0 B held by those that are open\n"
    assert ask("list") == {"uploads": [], "count": 0, "bytes": 0, "bytes_held": 0}


def test_json_has_all_fields_and_the_sums_but_no_token(ask, run, four, uploader):
    listed = ask("list")
    assert ids(listed) == [four[key]["id"] for key in ("fresh", "large", "over", "done")]
    assert (listed["count"], listed["bytes"]) == (4, 5 * MIB + 20)
    assert listed["bytes_held"] == 5 * MIB + 17
    done = listed["uploads"][3]
    columns = {column.name for column in Upload.__table__.columns}
    assert set(done) == {*columns, "owner"} - {"token"}
    assert done["owner"] == email_of(uploader)
    assert (done["state"], done["size"], done["user_id"]) == ("completed", 3, uploader.user_id)
    assert done["created_at"].endswith("Z")
    assert done["uri"].startswith("s3://")
    check_no_secret(run, four)


def check_no_secret(run, uploads):
    tokens = [str(token) for token in db.session.scalars(db.select(Upload.token))]
    assert len(tokens) == len(uploads)
    shown = run("list").output + run("list", "--json").output
    for upload in uploads.values():
        shown += run("show", upload["id"]).output + run("show", upload["id"], "--json").output
    assert not any(secret in shown for secret in (*tokens, "X-Amz-", "Signature"))


@pytest.mark.parametrize(
    ("options", "found"),
    [
        (["--state", "completed"], ["done"]),
        (["--state", "completed", "--state", "pending"], ["fresh", "large", "over", "done"]),
        (["--older-than", "90m"], ["over", "done"]),
        (["--older-than", "1h", "--state", "pending"], ["large", "over"]),
        (["--expired"], ["over"]),
        (["--larger-than", "7"], ["large", "over"]),
        (["--larger-than", "1MiB"], ["large"]),
        (["--larger-than", "5MiB"], []),
        (["--limit", "2"], ["fresh", "large"]),
    ],
    ids=" ".join,
)
def test_a_filter_leaves_what_was_asked_for(ask, four, options, found):
    assert ids(ask("list", *options)) == [four[key]["id"] for key in found]


def test_uploads_of_one_user_are_found_by_address_and_by_id(ask, run, four, person, bucket):
    other = person().grant(bucket, "bucket-read", "bucket-update")
    theirs = other.begin(bucket, "theirs", 1)
    for name in (email_of(other), email_of(other).upper(), other.user_id):
        assert ids(ask("list", "--user", name)) == [theirs["id"]]
    assert ids(ask("list", "--user", 999_999)) == []
    assert (
        "There is no user nobody@example.org."
        in run("list", "--user", "nobody@example.org", status=1).stderr
    )


def test_uploads_of_one_bucket_are_found(ask, uploader, four):
    other = Bucket.create(location=Location.get_by_name("default"))
    uploader.grant(other, "bucket-update")
    upload = uploader.begin(other, "a", 1)
    assert ids(ask("list", "--bucket", other.id)) == [upload["id"]]
    assert len(ids(ask("list"))) == 5


def test_an_owner_that_is_gone_or_was_none_is_said(run, four):
    change(four["fresh"], user_id=None)
    change(four["large"], user_id=999_999)
    lines = run("list").stdout.splitlines()
    assert lines[1].split()[-2:] == ["-", "fresh"]
    assert lines[2].split()[-3:] == ["user", "999999", "large"]


def test_a_name_gives_no_orders_to_the_terminal(run, four):
    # Of what terminals obey, click itself takes out colours and the like alone.
    change(four["fresh"], key="a\x07b\x9bc")
    for shown in (run("list").output, run("show", four["fresh"]["id"]).output):
        assert "a_b_c" in shown


@pytest.mark.parametrize(
    "options",
    [["--state", "lost"], ["--older-than", "2"], ["--larger-than", "x"], ["--limit", "0"]],
    ids=" ".join,
)
def test_a_wrong_option_is_a_wrong_call(run, options):
    assert options[0] in run("list", *options, status=2).stderr


def test_a_long_list_is_read_in_pages(run, bucket, location, monkeypatch):
    monkeypatch.setattr(queries, "ROWS", 7)
    now = utcnow()
    rows = [row(bucket, location, f"{n:03}", now - timedelta(seconds=n)) for n in range(50)]
    db.session.add_all(rows)
    db.session.commit()
    del rows
    db.session.expunge_all()
    most = 0
    keys = []
    for owned in queries.all_uploads():
        keys.append(owned.upload.key)
        most = max(most, len(db.session.identity_map))
    assert keys == [f"{n:03}" for n in range(50)]
    assert most <= 2 * 7
    assert len(run("list").stdout.splitlines()) == 52


def row(bucket, location, key, created_at):
    file_id = uuid.uuid4()
    return Upload(
        bucket_id=bucket.id,
        key=key,
        file_id=file_id,
        size=1,
        part_size=5 * MIB,
        num_parts=1,
        uri=object_uri(location.uri, file_id),
        token="t",
        created_at=created_at,
        expires_at=created_at + timedelta(days=1),
    )


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
    ((upload_id, key),) = open_uploads(store).items()
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
    change(upload, form_uri=f"s3://{store.bucket}/forms/{upload['id']}")
    assert ask("show", upload["id"])["store"]["form"] is False
    store.client().put_object(Bucket=store.bucket, Key=f"forms/{upload['id']}", Body=b"abc")
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
    assert len(open_uploads(store)) == 1
    said = ask("abort", first["id"], second["id"])
    aborted = [{"id": upload["id"], "state": "aborted"} for upload in (first, second)]
    assert said == {"dry_run": False, "uploads": aborted}
    assert open_uploads(store) == {}


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
    assert len(open_uploads(store)) == 2
    assert run("sweep").stdout == "expired: 1\naborted: 1\nfailed: 0\n"
    assert (state_of(over), state_of(fresh)) == ("aborted", "pending")
    assert ask("sweep") == {"expired": 0, "aborted": 0, "failed": 0}
    assert ids(ask("sweep", "--dry-run")) == []


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
    assert ask("recover") == {"completed": 0, "aborted": 0, "lost": 0, "failed": 0}


def test_orphans_are_counted_and_on_demand_aborted(run, ask, uploader, bucket, store, location):
    known = uploader.begin(bucket, "known", 3)
    key = ObjectURI.parse(object_uri(location.uri, uuid.uuid4())).key
    client = store.client()
    orphan = client.create_multipart_upload(Bucket=store.bucket, Key=key)["UploadId"]
    client.upload_part(
        Bucket=store.bucket, Key=key, UploadId=orphan, PartNumber=1, Body=b"some bytes"
    )
    found = {"found": 1, "aborted": 0, "failed": 0, "bytes": 10, "unlisted": []}
    assert ask("orphans") == found
    assert orphan in open_uploads(store)
    assert run("orphans", "--abort").stdout == "found: 1\naborted: 1\nfailed: 0\nbytes: 10\n"
    assert ask("orphans") == {**found, "found": 0, "bytes": 0}
    assert state_of(known) == "pending"
    assert len(open_uploads(store)) == 1


def test_a_store_that_cannot_tell_of_orphans_is_named(run, location, away):
    away()
    result = run("orphans", status=1)
    assert "unlisted: default" in result.stdout
    assert "Nothing is known of orphans in default" in result.stderr
