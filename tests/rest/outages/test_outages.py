# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The store or the database goes away and comes back: a clear 503, and nothing is lost."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.models import Upload
from oarepo_s3.views.serializers import dump_upload

from ...people import send_parts
from .conftest import behind


@pytest.fixture(scope="module")
def db_uri(db_uri, db_proxy) -> str:
    """A database, behind its proxy."""
    return behind(db_uri, db_proxy)


@pytest.fixture(scope="module")
def app_config(app_config, store):
    """Time-outs that a test can wait for."""
    app_config.update(
        OAREPO_S3_CONNECT_TIMEOUT=1,
        OAREPO_S3_READ_TIMEOUT=2,
        OAREPO_S3_COMPLETE_TIMEOUT=2,
        OAREPO_S3_SILENCE_PAUSE=0,  # each call shall find out for itself
    )
    return app_config


def test_a_lost_reply_to_complete_ends_in_the_file(uploader, bucket, proxy):
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    page = uploader.get(upload["links"]["parts"]).get_json()
    assert len(page["parts"]) == 1

    # The list of parts is answered; the reply to complete, and to its repetition, is lost.
    proxy.faults(drop_response=True, times=2)
    try:
        answer = uploader.complete(upload)
        while answer.status_code == 503:
            answer = uploader.complete(upload)
    finally:
        proxy.reset()

    assert answer.status_code == 200
    assert uploader.download(bucket, "a").status_code == 302


def test_a_database_that_is_away_is_a_503_and_workers_go_on(uploader, bucket, db_proxy):
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    db.session.commit()
    db.engine.dispose()
    db_proxy.faults(refuse=True)
    try:
        answer = uploader.complete(upload)
        db.session.rollback()
    finally:
        db_proxy.reset()

    assert (answer.status_code, answer.get_json()["code"]) == (503, "database_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert uploader.complete(upload).status_code == 200


def test_a_connection_that_breaks_while_another_is_at_work_is_a_503(uploader, bucket, db_proxy):
    """Versioning looks at both connections when the broken one is rolled back."""
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    with ThreadPoolExecutor(1) as caller:
        # In a thread without an application context, as a request has it: at its end the session
        # is removed. This first one leaves a connection in the pool, the one to be broken.
        assert caller.submit(uploader.get, upload["links"]["self"]).result().status_code == 200
        # Something is under way on a connection of its own, through all that follows.
        db.session.add(Bucket(location=bucket.location, default_storage_class="S"))
        db.session.flush()
        db_proxy.faults(reset_up=1, times=1)
        try:
            answer = caller.submit(uploader.complete, upload).result()
        finally:
            db_proxy.reset()
        db.session.rollback()

    assert (answer.status_code, answer.get_json()["code"]) == (503, "database_unavailable")
    assert uploader.complete(upload).status_code == 200


def test_a_connection_that_breaks_during_a_flush_is_a_503(uploader, bucket, db_proxy):
    """The flush itself rolls back then, and says nothing of the connection."""
    bucket_id = str(bucket.id)
    # Something is under way on another connection.
    db.session.add(Bucket(location=bucket.location, default_storage_class="S"))
    db.session.flush()

    @sa.event.listens_for(db.session.session_factory, "before_flush")
    def cut(session, *rest):
        if any(isinstance(new, Upload) for new in session.new):
            db_proxy.faults(reset_up=1, times=1)

    try:
        with ThreadPoolExecutor(1) as caller:
            asked = {"bucket": bucket_id, "key": "a", "size": 3}
            answer = caller.submit(uploader.post, "/multipart-uploads", json=asked).result()
    finally:
        sa.event.remove(db.session.session_factory, "before_flush", cut)
        db_proxy.reset()
        db.session.rollback()
    assert (answer.status_code, answer.get_json()["code"]) == (503, "database_unavailable")
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == 0


def test_a_connection_that_breaks_after_the_work_does_not_change_the_answer(
    uploader, bucket, db_proxy, monkeypatch
):
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")
    db.session.commit()

    def cut(upload):
        dumped = dump_upload(upload)
        db_proxy.faults(reset_up=1, times=1)
        return dumped

    monkeypatch.setattr("oarepo_s3.views.uploads.dump_upload", cut)
    try:
        with ThreadPoolExecutor(1) as caller:
            answer = caller.submit(uploader.complete, upload).result()
        cuts = db_proxy.counters.cuts
    finally:
        db_proxy.reset()
    assert (answer.status_code, cuts) == (200, 1)
