# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a token opens, for whom it acts, and what it leaves behind: one place, its user, nothing."""

from __future__ import annotations

import logging
import uuid

import pytest
from flask import session
from flask_principal import identity_loaded
from invenio_accounts.models import SessionActivity
from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.models import Upload

from ..people import UPLOADER, Person, path
from .test_secrets import Recorder
from .uppy import TOKENS, Uppy, issue


def refused(answer, status, code):
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


@pytest.fixture
def created(uppy):
    """An upload of three bytes that the uploader's page has begun."""
    return uppy.create("a", 3)


ROUTES = {
    "create": lambda u, c: u.ask("b", size=1),
    "list": lambda u, c: u.list(c),
    "sign": lambda u, c: u.sign(c, 1),
    "batch": lambda u, c: u.of(c, "/batch", partNumbers="1"),
    "complete": lambda u, c: u.complete(c, []),
    "abort": lambda u, c: u.abort(c),
}


def each(page, created, expected):
    """Call all routes; each has to be refused as expected, ``create`` perhaps in another way."""
    for name, call in ROUTES.items():
        refused(call(page, created), *(expected[name == "create" and len(expected) > 1]))
    db.session.rollback()
    assert db.session.get(Upload, uuid.UUID(created["uploadId"])).state == "pending"


def second_bucket(location):
    made = Bucket.create(location=location)
    db.session.commit()
    return made


def test_a_wrong_token_opens_no_route(created, page):
    each(page("/multipart-uploads/companion/x"), created, [(401, "token_not_valid")])


def test_a_revoked_token_opens_no_route(uploader, bucket, page, created):
    issued = issue(uploader, bucket)
    uploader.delete(issued["links"]["self"])
    each(page(issued["companion_url"]), created, [(401, "token_not_valid")])


@pytest.mark.parametrize("how", ["deactivate_user", "block_user", "delete_user"])
def test_the_token_of_somebody_whose_account_ends_opens_no_route(app, uploader, uppy, created, how):
    datastore = app.extensions["security"].datastore
    user = datastore.find_user(id=uploader.user_id)
    if how == "delete_user":
        uploader.revoke(Bucket.get(created["bucket"]))
        SessionActivity.query.filter_by(user_id=user.id).delete()
    getattr(datastore, how)(user)
    db.session.commit()
    each(uppy, created, [(401, "token_not_valid")])


def test_who_may_no_longer_upload_gets_no_further(uploader, bucket, uppy, created):
    uploader.revoke(bucket)
    each(uppy, created, [(404, "upload_not_found"), (404, "bucket_not_found")])
    uploader.grant(bucket, "bucket-read")
    each(uppy, created, [(403, "forbidden"), (403, "forbidden")])
    uploader.grant(bucket, "bucket-update")
    assert uppy.sign(created, 1).status_code == 200


def test_a_token_opens_its_bucket_alone(uploader, location, page, created):
    other = second_bucket(location)
    uploader.grant(other, *UPLOADER)
    theirs = page(issue(uploader, other)["companion_url"])
    for name, call in ROUTES.items():
        if name != "create":
            refused(call(theirs, created), 404, "upload_not_found")
    assert theirs.create("a", 1)["bucket"] == str(other.id)


def test_a_token_does_not_open_the_uploads_of_others_in_its_bucket(
    person, bucket, uploader, page, created
):
    owner = person().grant(bucket, "bucket-read", "bucket-update", "multipart-read",
                           "multipart-delete")  # fmt: skip
    theirs = page(issue(owner, bucket)["companion_url"])
    # By its own login the owner of the bucket may.
    assert owner.get(f"/multipart-uploads/{created['uploadId']}").status_code == 200
    for name, call in ROUTES.items():
        if name != "create":
            refused(call(theirs, created), 404, "upload_not_found")


def test_nor_uploads_of_nobody_in_particular(uploader, bucket, uppy, created):
    db.session.get(Upload, uuid.UUID(created["uploadId"])).user_id = None
    db.session.commit()
    refused(uppy.sign(created, 1), 404, "upload_not_found")


def test_what_the_user_began_there_by_other_means_is_open(uploader, bucket, uppy):
    upload = uploader.begin(bucket, "a", 3)
    assert uppy.sign({"uploadId": upload["id"], "key": "a"}, 1).status_code == 200


def test_a_token_opens_nothing_but_its_routes(app, uploader, bucket, uppy, created):
    token = issue(uploader, bucket)["token"]
    stranger = Person(app)
    session_of = f"/multipart-uploads/{created['uploadId']}"
    new = {"bucket": str(bucket.id), "key": "b", "size": 1}
    addresses = [
        ("GET", "/multipart-uploads"),
        ("POST", "/multipart-uploads"),
        ("POST", TOKENS),
        ("GET", session_of),
        ("DELETE", session_of),
        ("GET", f"{session_of}/parts"),
        ("POST", f"{session_of}/complete"),
    ]
    for headers in (
        {"Authorization": f"Bearer {token}"},
        {"Authorization": token},
        {"X-Auth-Token": token},
        {"Cookie": f"session={token}"},
    ):
        for method, address in addresses:
            answer = stranger.client.open(
                address, method=method, headers=headers, query_string={"token": token},
                json=new if method == "POST" else None,
            )  # fmt: skip
            assert answer.status_code == 401, (method, address, headers)
        assert stranger.get(f"/files/{bucket.id}", headers=headers).status_code in (401, 404)
    for rest in ("", "/s3", "/s3/none", "/tokens", "/files", f"/{created['uploadId']}"):
        answer = stranger.get(f"/multipart-uploads/companion/{token}{rest}")
        assert answer.status_code in (404, 405)
    assert stranger.get(f"/multipart-uploads/{token}").status_code == 404
    assert stranger.delete(f"{TOKENS}/{token}").status_code == 401


def test_the_page_stays_who_it_was(app, uploader, bucket, uppy, created, person):
    """The page's own session belongs to somebody else: neither gains by the other."""
    somebody = person()
    page = Uppy(somebody.client, uppy.endpoint)
    cookie = somebody.client.get_cookie("session").value

    mine = page.create("b", 3)

    db.session.rollback()
    assert db.session.get(Upload, uuid.UUID(mine["uploadId"])).user_id == uploader.user_id
    assert page.sign(created, 1).status_code == 200
    assert somebody.client.get_cookie("session").value == cookie
    refused(somebody.get(f"/multipart-uploads/{mine['uploadId']}"), 404, "upload_not_found")
    listed = somebody.get("/multipart-uploads").get_json()
    assert listed["uploads"] == []


def test_the_session_of_somebody_else_gives_the_user_nothing(
    person, location, uploader, uppy, bucket
):
    """Who sends the token to a page of somebody with more rights gains none of these."""
    uploader.revoke(bucket)
    powerful = person().grant(bucket, *UPLOADER)
    refused(Uppy(powerful.client, uppy.endpoint).ask("b", size=1), 404, "bucket_not_found")


def test_modules_that_keep_roles_in_the_session_see_an_empty_one(
    app, person, uploader, uppy, created
):
    """As invenio-oauthclient's: what it finds there it gives to the identity, and it writes."""
    seen = []

    def keep_roles(sender, identity):
        seen.append((identity.id, "_user_id" in session, session.get("roles")))
        session["roles"] = f"of {identity.id}"

    somebody = person()
    with somebody.client.session_transaction() as kept:
        kept["roles"] = "of before"
    with identity_loaded.connected_to(keep_roles, sender=app):
        assert Uppy(somebody.client, uppy.endpoint).sign(created, 1).status_code == 200
    # First as in any request, by the cookie, then for the token's user.
    assert seen == [(somebody.user_id, True, "of before"), (uploader.user_id, False, None)]
    with somebody.client.session_transaction() as after:
        assert int(after["_user_id"]) == somebody.user_id
        assert after["roles"] == f"of {somebody.user_id}"


def test_nobody_is_logged_in_by_a_token(app, uppy, created):
    assert uppy.sign(created, 1).status_code == 200
    with uppy.client.session_transaction() as left:
        assert {"_user_id", "_fresh", "_id"} & set(left) == set()
    refused(uppy.client.get("/multipart-uploads"), 401, "not_authenticated")


def test_no_log_shows_a_token(app, uploader, bucket, page, monkeypatch):
    recorder = Recorder()
    root = logging.getLogger()
    issued = issue(uploader, bucket)
    uppy = Uppy(app.test_client(), issued["companion_url"])
    monkeypatch.setattr("oarepo_s3.views.companion.sign_parts", lambda *a: 1 / 0)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    loggers = [root, app.logger, *map(logging.getLogger, logging.root.manager.loggerDict)]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.disabled = True, False
    root.addHandler(recorder)
    try:
        again = issue(uploader, bucket)
        created = uppy.create("a", 3)
        assert uppy.sign(created, 1).status_code == 500
        uploader.delete(again["links"]["self"])
        # As the server of Flask's own does it.
        logging.getLogger("werkzeug").info('"GET %s/s3/multipart HTTP/1.1" 200', uppy.endpoint)
    finally:
        root.removeHandler(recorder)
        for logger, level, propagate, disabled in before:
            logger.setLevel(level)
            logger.propagate, logger.disabled = propagate, disabled
    text = "\n".join(line for _, line in recorder.lines)
    assert "companion/***/s3/multipart" in text
    assert "ZeroDivisionError" in text
    assert {name for name, _ in recorder.lines} >= {
        app.name,
        "werkzeug",
        "sqlalchemy.engine.Engine",
    }
    assert [t for t in (issued["token"], again["token"]) if t in text] == []


def test_no_answer_may_be_kept_and_none_shows_the_token(uppy, created):
    for call in ROUTES.values():
        answer = call(uppy, created)
        assert answer.headers["Cache-Control"] == "no-store"
        token = path(uppy.endpoint).rpartition("/")[2]
        assert token not in answer.get_data(as_text=True)
