# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Upload tokens: who gets one, what it looks like, and how it ends."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import pytest
from invenio_db import db
from itsdangerous import URLSafeSerializer

from oarepo_s3.core.times import utcnow
from oarepo_s3.core.tokens import TokenSigner
from oarepo_s3.models import UploadToken
from oarepo_s3.services import issue_token
from oarepo_s3.tasks import cleanup_expired_multipart_uploads

from ..people import NOWHERE, OWNER, UPLOADER, Person
from .uppy import TOKENS, issue

HOUR = 3600


def refused(answer, status, code):
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    return answer


def row(issued):
    """Return the row of a token, as it is now."""
    db.session.rollback()
    return db.session.get(UploadToken, uuid.UUID(issued["id"]))


def lifetime(issued):
    """Return for how many seconds a token was given, as its row says."""
    found = row(issued)
    assert issued["expires_at"] == found.expires_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (found.expires_at - found.created_at).total_seconds()


def test_a_token_is_shown_once_and_not_kept(uploader, bucket, database):
    issued = issue(uploader, bucket)
    assert set(issued) == {"id", "token", "expires_at", "companion_url", "links"}
    assert issued["companion_url"].endswith(f"/multipart-uploads/companion/{issued['token']}")
    assert issued["links"]["self"].endswith(f"{TOKENS}/{issued['id']}")
    found = row(issued)
    assert (found.user_id, found.bucket_id) == (uploader.user_id, bucket.id)
    values = [str(getattr(found, column.key)) for column in UploadToken.__table__.columns]
    signature = issued["token"].rpartition(".")[2]
    assert not any(signature in value for value in values)


@pytest.mark.parametrize(
    ("wish", "given"),
    [({}, 12 * HOUR), ({"lifetime": None}, 12 * HOUR), ({"lifetime": 60}, 60),
     ({"lifetime": 2**60}, 144 * HOUR)],
)  # fmt: skip
def test_a_token_lives_as_long_as_asked_for_within_the_limit(uploader, bucket, wish, given):
    assert lifetime(issue(uploader, bucket, **wish)) == given


def test_the_settings_say_how_long(app, uploader, bucket, monkeypatch):
    monkeypatch.setitem(app.config, "OAREPO_S3_TOKEN_LIFETIME", 100)
    monkeypatch.setitem(app.config, "OAREPO_S3_TOKEN_MAX_LIFETIME", 200)
    assert lifetime(issue(uploader, bucket)) == 100
    assert lifetime(issue(uploader, bucket, lifetime=300)) == 200


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"bucket": "x"},
        {"bucket": None},
        {"draft": {}},
        {"draft": {"service": "s", "id": ""}},
        {"draft": {"service": "s", "id": "1", "more": 1}},
        {"draft": {"service": "s", "id": "1\0"}},
        {"draft": {"service": "\0", "id": "1"}},
        {"bucket": NOWHERE, "draft": {"service": "s", "id": "1"}},
        {"bucket": NOWHERE, "lifetime": 0},
        {"bucket": NOWHERE, "lifetime": "60"},
        {"bucket": NOWHERE, "user": 1},
    ],
    ids=str,
)
def test_what_is_no_request_for_a_token_is_refused(uploader, body):
    refused(uploader.post(TOKENS, json=body), 400, "invalid_request")


@pytest.mark.parametrize("secret", [None, ""])
def test_without_a_secret_key_nothing_is_signed(app, bucket, monkeypatch, secret):
    monkeypatch.setitem(app.config, "SECRET_KEY", secret)
    with pytest.raises(RuntimeError, match="SECRET_KEY"):
        issue_token(1, bucket_id=bucket.id)


def test_only_who_may_upload_gets_a_token(app, person, bucket):
    body = {"bucket": str(bucket.id)}
    people = {
        "anonymous": (Person(app), 401, "not_authenticated"),
        "stranger": (person(), 404, "bucket_not_found"),
        "reader": (person().grant(bucket, "bucket-read", "object-read"), 403, "forbidden"),
    }
    for someone, status, code in people.values():
        refused(someone.post(TOKENS, json=body), status, code)
    assert UploadToken.query.filter_by(bucket_id=bucket.id).count() == 0
    for actions in (UPLOADER, OWNER):
        assert person().grant(bucket, *actions).post(TOKENS, json=body).status_code == 201
    refused(people["stranger"][0].post(TOKENS, json={"bucket": str(uuid.uuid4())}),
            404, "bucket_not_found")  # fmt: skip


def test_nobody_learns_which_buckets_and_drafts_there_are(app, bucket):
    for place in (
        {"bucket": str(bucket.id)},
        {"bucket": str(uuid.uuid4())},
        {"draft": {"service": "none", "id": "1"}},
        {"nonsense": 1},
    ):
        refused(Person(app).post(TOKENS, json=place), 401, "not_authenticated")


def test_its_owner_revokes_a_token_and_nobody_else(app, uploader, person, bucket, page):
    issued = issue(uploader, bucket)
    uppy = page(issued["companion_url"])
    created = uppy.create("a", 3)
    address = issued["links"]["self"]

    refused(Person(app).delete(address), 401, "not_authenticated")
    refused(person().grant(bucket, *OWNER).delete(address), 404, "token_not_found")
    assert uppy.sign(created, 1).status_code == 200

    for _ in range(2):
        assert uploader.delete(address).status_code == 204
    first = row(issued).revoked_at
    uploader.delete(address)
    assert row(issued).revoked_at == first
    answer = refused(uppy.sign(created, 1), 401, "token_not_valid")
    assert "it was revoked" in answer.get_json()["message"]
    # The upload is the user's own, and goes on by other ways.
    assert uploader.delete(f"/multipart-uploads/{created['uploadId']}").status_code == 204


@pytest.mark.parametrize("token_id", [NOWHERE, "x", "%00"])
def test_what_is_no_token_cannot_be_revoked(uploader, token_id):
    refused(uploader.delete(f"{TOKENS}/{token_id}"), 404, "token_not_found")


def test_the_sweep_removes_tokens_that_have_expired_and_no_others(uploader, bucket, page):
    old, revoked, good = (issue(uploader, bucket) for _ in range(3))
    uploader.delete(revoked["links"]["self"])
    row(old).expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()

    assert cleanup_expired_multipart_uploads.delay().result["failed"] == 0

    assert (row(old), row(good).revoked_at) == (None, None)
    # Without its row it would be unknown; but a row that is there says more.
    assert row(revoked).revoked_at is not None
    answer = refused(page(old["companion_url"]).ask("a", size=1), 401, "token_not_valid")
    assert "not known" in answer.get_json()["message"]
    assert page(good["companion_url"]).ask("a", size=1).status_code == 200


class TestSigned:
    """What nobody but the application can make."""

    def ask(self, page, token):
        return page(f"/multipart-uploads/companion/{token}").ask("a", size=1)

    @pytest.fixture
    def good(self, uploader, bucket):
        return issue(uploader, bucket)["token"]

    def test_each_change_is_noticed(self, page, good):
        payload, _, signature = good.rpartition(".")
        other = "A" if signature[5] != "A" else "B"
        for forged in (
            good[:-5],
            f"{payload}.{signature[:5]}{other}{signature[6:]}",
            f"{payload[:-1]}.{signature}",
            payload,
            f"{payload}.",
            f".{signature}",
            "x",
            "%00",
            "%E2%82%AC",
            "a" * 5000,
        ):
            answer = refused(self.ask(page, forged), 401, "token_not_valid")
            assert "not issued here" in answer.get_json()["message"]
        assert self.ask(page, good).status_code == 200

    def test_what_the_application_signs_for_other_ends_is_no_token(self, app, page, good):
        token_id, ends = URLSafeSerializer("x").loads_unsafe(good)[1]
        for salt in (b"itsdangerous", b"cookie-session", b"oarepo-s3"):
            forged = URLSafeSerializer(app.secret_key, salt=salt).dumps([token_id, ends])
            refused(self.ask(page, forged), 401, "token_not_valid")

    def test_it_ends_when_it_says_whatever_stands_in_the_database(
        self, app, page, uploader, bucket
    ):
        issued = issue(uploader, bucket)
        row(issued).expires_at = utcnow() + timedelta(days=30)
        db.session.commit()
        signer = TokenSigner((app.secret_key.encode(),))
        expired = signer.write(uuid.UUID(issued["id"]), utcnow() - timedelta(seconds=1))
        answer = refused(self.ask(page, expired), 401, "token_not_valid")
        assert "expired" in answer.get_json()["message"]
        assert "expired" in answer.status

    def test_a_new_secret_takes_the_old_tokens_as_long_as_it_is_told_of(
        self, app, page, good, monkeypatch
    ):
        before = app.secret_key
        monkeypatch.setitem(app.config, "SECRET_KEY", "another")
        refused(self.ask(page, good), 401, "token_not_valid")
        monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", [before])
        assert self.ask(page, good).status_code == 200

    def test_a_signer_reads_what_it_wrote(self):
        token_id, ends = uuid.uuid4(), datetime(2999, 1, 1, tzinfo=UTC)
        text = TokenSigner((b"old",)).write(token_id, ends)
        assert TokenSigner((b"new", b"old")).read(text) == token_id
        assert "new" not in repr(TokenSigner((b"new", b"old")))
