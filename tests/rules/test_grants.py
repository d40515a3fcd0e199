# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys: for what they are made, and what is known of them afterwards."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.core.errors import (
    BucketLocked,
    BucketNotFound,
    InvalidRequest,
    KeysNotPossible,
    NoUploadRole,
    StoreDenied,
    StoreMisconfigured,
    StoreUnavailable,
    UploadExpired,
    UploadLost,
    UploadNotPending,
)
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Grant, Upload
from oarepo_s3.services import (
    GrantedPlace,
    NewScope,
    abort_upload,
    create_scope,
    grant_scope,
    grant_upload,
    remove_old_grants,
)
from oarepo_s3.tasks import cleanup_expired_multipart_uploads as cleanup

from .conftest import ROLE

pytestmark = pytest.mark.usefixtures("_no_older_grants", "_role")


@pytest.fixture
def _no_older_grants(database):
    db.session.execute(db.delete(Grant))
    db.session.commit()


@pytest.fixture
def asked(memory, monkeypatch):
    """What the store was asked for."""
    calls, issue = [], MemoryStore.issue_credentials

    def issue_credentials(store, **wish):
        assert not db.session().in_transaction()
        calls.append(wish)
        return issue(store, **wish)

    monkeypatch.setattr(MemoryStore, "issue_credentials", issue_credentials)
    return calls


@pytest.fixture
def scope(memory, location):
    """A scope in the location."""
    name = "user.name:dataset"
    return create_scope(NewScope(name, "default", prefix="user name/datašet", user_id=7))


def rows():
    return list(db.session.scalars(db.select(Grant).order_by(Grant.created_at)))


def test_keys_for_an_upload_open_the_place_of_its_form_and_nothing_else(memory, begin, asked):
    upload = begin()
    issued = grant_upload(upload, user_id=7)
    key = f"oarepo-s3-forms/{upload.id}"
    assert issued.place == GrantedPlace("memory://", "memory", "rules", key, None, "memory")
    assert upload.form_uri == f"memory://rules/{key}" != upload.uri
    (wish,) = asked
    assert (wish["role"], wish["session_name"]) == (ROLE, str(issued.row.id))
    assert wish["lifetime"] == timedelta(hours=1)
    (statement,) = wish["policy"]["Statement"]
    assert statement["Resource"] == f"arn:aws:s3:::rules/{key}"
    assert "s3:PutObject" in statement["Action"]
    assert "s3:DeleteObject" not in statement["Action"]


def test_keys_for_a_scope_open_its_prefix(asked, scope):
    issued = grant_scope(scope, user_id=7, lifetime=900)
    prefix = "user name/datašet/"
    assert issued.place == GrantedPlace("memory://", "memory", "rules", None, prefix, "memory")
    (wish,) = asked
    listing, objects = wish["policy"]["Statement"]
    assert objects["Resource"] == f"arn:aws:s3:::rules/{prefix}*"
    assert listing["Condition"]["StringLike"]["s3:prefix"] == [f"{prefix}*"]
    assert wish["lifetime"] == timedelta(minutes=15)


def test_a_location_made_later_inside_a_scope_keeps_its_owner_out(asked, scope):
    inner = Location(name="inner", uri="memory://rules/user name/datašet/inner")
    db.session.add(inner)
    db.session.commit()
    try:
        with pytest.raises(KeysNotPossible, match="files of a location"):
            grant_scope(scope, user_id=7)
        assert asked == []
        assert grant_scope(scope, user_id=None).place.prefix == "user name/datašet/"
    finally:
        db.session.delete(inner)
        db.session.commit()


def test_a_grant_is_known_without_its_secret(begin, scope):
    upload = begin()
    for issued, what in (
        (grant_upload(upload, user_id=7), (upload.id, None, upload.form_uri)),
        (grant_scope(scope, user_id=None), (None, scope.id, "memory://rules/user name/datašet/")),
    ):
        row = db.session.get(Grant, issued.row.id, populate_existing=True)
        assert (row.upload_id, row.scope_id, row.target) == what
        assert row.access_key == issued.credentials.access_key
        assert row.expires_at == issued.credentials.expires_at
        shown = json.dumps([str(value) for value in vars(row).values()])
        assert issued.credentials.secret_key not in shown
        assert issued.credentials.token not in shown
    assert [row.user_id for row in rows()] == [7, None]


def test_the_row_is_there_before_the_store_is_asked(memory, begin):
    upload = begin()
    memory.fail("issue_credentials", StoreUnavailable(reason="down"), after=True)
    with pytest.raises(StoreUnavailable):
        grant_upload(upload, user_id=7, lifetime=1000)
    (row,) = rows()
    assert (row.upload_id, row.access_key) == (upload.id, None)
    assert row.expires_at - row.created_at == timedelta(seconds=1000)
    assert upload.form_until is not None


def test_a_grant_shows_and_logs_no_secret(begin, caplog):
    caplog.set_level("DEBUG")
    issued = grant_upload(begin(), user_id=7)
    (record,) = [r for r in caplog.records if getattr(r, "action", "") == "keys_granted"]
    assert (record.grant, record.target) == (str(issued.row.id), issued.row.target)
    for secret in (issued.credentials.secret_key, issued.credentials.token):
        assert secret not in repr(issued) + str(vars(record)) + caplog.text


@pytest.mark.parametrize("lifetime", [899, 43_201, 0, -1])
def test_an_impossible_lifetime_is_refused_and_nothing_written(begin, scope, lifetime):
    upload = begin()
    for grant, what in ((grant_upload, upload), (grant_scope, scope)):
        with pytest.raises(InvalidRequest, match="900 to 43200"):
            grant(what, user_id=7, lifetime=lifetime)
    assert rows() == []


@pytest.mark.parametrize("reason", ["ValidationError", "InvalidArgument"])
def test_a_wish_that_is_longer_than_the_role_allows_is_the_clients_to_mend(
    app, memory, begin, reason
):
    upload = begin()
    memory.fail("issue_credentials", StoreMisconfigured(reason=reason))
    with pytest.raises(InvalidRequest, match="43200 seconds"):
        grant_upload(upload, user_id=7, lifetime=43_200)
    memory.fail("issue_credentials", StoreMisconfigured(reason=reason))
    with pytest.raises(StoreMisconfigured):
        grant_upload(upload, user_id=7)
    memory.fail("issue_credentials", StoreMisconfigured(reason="NoSuchEntity"))
    with pytest.raises(StoreMisconfigured):
        grant_upload(upload, user_id=7, lifetime=900)


@pytest.mark.parametrize(
    ("left", "expected"), [(timedelta(minutes=30), 1800), (timedelta(minutes=2), 900)]
)
def test_without_a_wish_keys_end_with_the_upload_if_they_can(begin, asked, left, expected):
    upload = begin(lifetime=left)
    grant_upload(upload, user_id=7)
    grant_upload(upload, user_id=7, lifetime=2000)
    lives = [wish["lifetime"].total_seconds() for wish in asked]
    assert expected - 10 < lives[0] <= expected
    assert lives[1] == 2000


def test_without_a_role_there_are_no_keys_and_parts_still_work(app, memory, begin, scope):
    app.config["OAREPO_S3_UPLOAD_ROLE"] = None
    upload = begin(content=b"abc")
    for grant, what in ((grant_upload, upload), (grant_scope, scope)):
        with pytest.raises(NoUploadRole, match="invenio s3 policy role"):
            grant(what, user_id=7)
    assert (rows(), upload.form_until) == ([], None)


@pytest.mark.parametrize("error", [StoreDenied, StoreMisconfigured])
def test_what_the_store_refuses_is_the_operators_to_mend(memory, begin, error):
    memory.fail("issue_credentials", error(reason="AccessDenied"))
    with pytest.raises(error):
        grant_upload(begin(), user_id=7)


def aborted(upload):
    abort_upload(upload)


def expired(upload):
    upload.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()


def never_opened(upload):
    upload.store_upload_id = None
    db.session.commit()


@pytest.mark.parametrize(
    ("how", "error"),
    [(aborted, UploadNotPending), (expired, UploadExpired), (never_opened, UploadLost)],
)
def test_an_upload_that_takes_nothing_gets_no_keys(begin, how, error):
    upload = begin()
    how(upload)
    with pytest.raises(error):
        grant_upload(upload, user_id=7)
    assert rows() == []


@pytest.mark.parametrize(
    ("state", "error"), [("locked", BucketLocked), ("deleted", BucketNotFound)]
)
def test_a_scope_whose_bucket_takes_no_changes_gives_no_keys(scope, state, error):
    """They would write in the place of files that are published."""
    bucket = db.session.get(Bucket, scope.bucket_id)
    setattr(bucket, state, True)
    db.session.commit()
    try:
        with pytest.raises(error):
            grant_scope(scope, user_id=7)
        assert rows() == []
    finally:
        setattr(bucket, state, False)
        db.session.commit()


def test_a_store_that_copies_nothing_gives_none_for_an_upload(begin, scope, monkeypatch):
    upload = begin()
    profile = type(MemoryStore.profile)("other")
    monkeypatch.setattr(MemoryStore, "profile", profile)
    with pytest.raises(KeysNotPossible, match="copy"):
        grant_upload(upload, user_id=7)
    assert grant_scope(scope, user_id=7).place.profile_name == "other"


def test_a_back_end_without_sts_gives_none(begin, scope, monkeypatch):
    upload = begin()
    monkeypatch.delattr(MemoryStore, "issue_credentials")
    for grant, what in ((grant_upload, upload), (grant_scope, scope)):
        with pytest.raises(KeysNotPossible, match="issues none"):
            grant(what, user_id=7)
    assert rows() == []


@pytest.mark.parametrize("folder", ["a%20b", "a*b"])
def test_a_location_that_keys_cannot_be_narrowed_to_gives_none(begin, bucket, location, folder):
    upload = begin()
    location.uri = f"memory://rules/{folder}"
    db.session.commit()
    try:
        with pytest.raises(KeysNotPossible):
            grant_upload(upload, user_id=7)
        assert (rows(), upload.form_until) == ([], None)
    finally:
        location.uri = "memory://rules"
        db.session.commit()


def test_the_rows_stay_for_a_while_after_the_end(app, begin):
    kept, gone = (grant_upload(begin(key), user_id=7).row for key in "ab")
    retention = timedelta(seconds=app.config["OAREPO_S3_GRANT_RETENTION"])
    kept.expires_at = utcnow() - retention + timedelta(minutes=1)
    gone.expires_at = utcnow() - retention
    db.session.commit()
    kept_id = kept.id
    cleanup()
    assert [row.id for row in rows()] == [kept_id]
    assert remove_old_grants() == 0


def test_ended_uploads_keep_their_grants(begin):
    upload = begin()
    grant_upload(upload, user_id=7)
    abort_upload(upload)
    db.session.execute(db.delete(Upload))
    db.session.commit()
    assert len(rows()) == 1
