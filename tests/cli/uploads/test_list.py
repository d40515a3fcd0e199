# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The list of uploads: which, in which order, and what they hold together."""

from __future__ import annotations

import re
import uuid
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import queries
from oarepo_s3.services.create import object_uri

from ...rest.outcomes import change
from .rows import MIB, email_of, ids


@pytest.fixture
def four(uploader, bucket):
    """Uploads that differ; the newest first."""
    done = uploader.upload(bucket, "done", b"abc")
    over = uploader.begin(bucket, "over", 10)
    large = uploader.begin(bucket, "large", 5 * MIB)
    fresh = uploader.begin(bucket, "fresh", 7)
    now = utcnow()
    for hours, upload in enumerate((fresh, large, over, done)):
        change(upload, created_at=now - timedelta(hours=hours, minutes=2))
    for upload in (over, done):
        change(upload, expires_at=now - timedelta(seconds=5))
    return {"fresh": fresh, "large": large, "over": over, "done": done}


def test_the_list_has_a_line_for_each_and_the_bytes_that_open_ones_hold(run, four, uploader):
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["ID", "STATE", "SIZE", "AGE", "LEFT", "OWNER", "KEY"]
    owner = email_of(uploader)
    expected = [
        ("fresh", "pending", "7", "B", "2m", "5d", "23h"),
        ("large", "pending", "5.0", "MiB", "1h", "2m", "5d", "23h"),
        ("over", "pending", "10", "B", "2h", "2m", "over"),
        ("done", "completed", "3", "B", "3h", "2m", "-"),
    ]
    for line, (key, *fields) in zip(lines[1:], expected, strict=False):
        without_seconds = re.sub(r"(2m) +\d+s", r"\1", line)
        assert without_seconds.split() == [four[key]["id"], *fields, owner, key]
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


def test_the_sums_are_of_all_that_were_asked_for_however_few_are_shown(ask, run, four):
    listed = ask("list", "--limit", "1")
    assert len(listed["uploads"]) == 1
    sums = {"count": 4, "bytes": 5 * MIB + 20, "bytes_held": 5 * MIB + 17}
    assert {name: listed[name] for name in sums} == sums
    assert run("list", "--limit", "1").stdout.splitlines()[-1] == (
        "4 uploads, 5.0 MiB held by those that are open (1 shown)"
    )
    last = "4 uploads, 5.0 MiB held by those that are open"
    for options in ([], ["--limit", "4"]):
        assert run("list", *options).stdout.splitlines()[-1] == last
    some = ask("list", "--state", "completed", "--limit", "1")
    assert (some["count"], some["bytes"], some["bytes_held"]) == (1, 3, 0)
    none = ask("list", "--larger-than", "5MiB", "--limit", "1")
    assert none == {"uploads": [], "count": 0, "bytes": 0, "bytes_held": 0}


def test_uploads_of_one_user_are_found_by_address_and_by_id(ask, run, four, person, bucket):
    other = person().grant(bucket, "bucket-read", "bucket-update")
    theirs = other.begin(bucket, "theirs", 1)
    for name in (email_of(other), email_of(other).upper(), other.user_id):
        assert ids(ask("list", "--user", name)) == [theirs["id"]]
    assert ids(ask("list", "--user", 999_999)) == []
    for nobody in ("nobody@example.org", 10**10, 10**30):
        assert f"There is no user {nobody}." in run("list", "--user", nobody, status=1).stderr


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
    [
        ["--state", "lost"],
        ["--older-than", "2"],
        ["--older-than", "9999999d"],
        ["--larger-than", "x"],
        ["--larger-than", "9999999T"],
        ["--limit", "0"],
    ],
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
