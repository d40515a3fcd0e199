# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The store is away, silent or too slow: a clear 503 in bounded time, and later the true end."""

from __future__ import annotations

import time

import pytest
from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import sweep_expired
from oarepo_s3.services.stored import StoredUpload

from ..outcomes import check_the_one_result, size_of
from .conftest import CONTENT

READ_TIMEOUT = 1.5
ATTEMPTS = 2
PATIENCE = 30
"""Seconds after which a store that is back has to be used again."""

FAULTS = {
    "down": {"refuse": True, "reset_up": 1},
    "silent": {"blackhole": True},
    "too slow": {"latency": 2 * READ_TIMEOUT},
}

CALLS = {
    "create": lambda person, bucket, upload: person.post(
        "/multipart-uploads",
        json={"bucket": str(bucket.id), "key": "new", "size": len(CONTENT)},
    ),
    "parts": lambda person, bucket, upload: person.get(upload["links"]["parts"]),
    "complete": lambda person, bucket, upload: person.complete(upload),
    "abort": lambda person, bucket, upload: person.delete(upload["links"]["abort"]),
}
NEED_NO_STORE = {
    "urls": lambda person, bucket, upload: person.get(upload["links"]["urls"] + "?parts=1"),
    "get": lambda person, bucket, upload: person.get(upload["links"]["self"]),
    "list": lambda person, bucket, upload: person.get(f"/multipart-uploads?bucket={bucket.id}"),
}


@pytest.fixture(scope="module")
def app_config(app_config, store):
    """Time-outs that a test can wait for."""
    app_config.update(
        OAREPO_S3_CONNECT_TIMEOUT=READ_TIMEOUT,
        OAREPO_S3_READ_TIMEOUT=READ_TIMEOUT,
        OAREPO_S3_COMPLETE_TIMEOUT=READ_TIMEOUT,
        OAREPO_S3_SILENCE_PAUSE=0,  # each call shall find out for itself
        OAREPO_S3_MAX_ATTEMPTS=ATTEMPTS,
    )
    return app_config


def until(status, call):
    """Repeat a call until it has this status; what comes before has to be the clear 503."""
    deadline = time.monotonic() + PATIENCE
    while (answer := call()).status_code != status:
        assert (answer.status_code, answer.get_json()["code"]) == (503, "store_unavailable")
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return answer


def open_at(store, rows):
    """Return the multipart uploads that the store holds for rows."""
    return [found for row in rows for found in store.open_uploads(StoredUpload.of(row).key)]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_clear_503_and_then_the_end(uploader, bucket, store, proxy, upload, fault, call):
    proxy.faults(**FAULTS[fault])
    began = time.monotonic()
    answer = CALLS[call](uploader, bucket, upload)
    spent = time.monotonic() - began
    proxy.reset()

    assert (answer.status_code, answer.get_json()["code"]) == (503, "store_unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    # Completing and aborting ask the store several times.
    assert spent < 3 * ATTEMPTS * (READ_TIMEOUT + 1) + 10

    # A new upload that nobody knows of holds no room, and the sweep leaves nothing of it.
    assert size_of(bucket) == len(CONTENT)
    new = Upload.query.filter_by(bucket_id=bucket.id, key="new").all()
    assert len(new) == (call == "create")
    assert bool(open_at(store, new)) == (call == "create" and fault == "too slow")
    sweep_until_done()
    assert [row.state for row in new] == ["aborted"] * len(new)
    assert open_at(store, new) == []

    if call == "abort":
        until(204, lambda: CALLS["abort"](uploader, bucket, upload))
        assert (size_of(bucket), open_at(store, Upload.query.filter_by(id=upload["id"]))) == (0, [])
        return
    until(200, lambda: CALLS["complete"](uploader, bucket, upload))
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


def sweep_until_done():
    """Sweep as the beat does, until nothing fails."""
    deadline = time.monotonic() + PATIENCE
    while sweep_expired().failed:
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.parametrize("call", NEED_NO_STORE)
@pytest.mark.parametrize("fault", ["down", "silent"])
def test_what_needs_no_store_goes_on(uploader, bucket, proxy, upload, fault, call):
    proxy.faults(**FAULTS[fault])
    answer = NEED_NO_STORE[call](uploader, bucket, upload)
    assert answer.status_code == 200
    assert proxy.counters.cuts == 0


def test_a_download_begins_without_the_store(uploader, bucket, proxy, upload):
    until(200, lambda: CALLS["complete"](uploader, bucket, upload))
    proxy.faults(**FAULTS["down"])
    assert uploader.download(bucket, "a").status_code == 302


def test_a_store_that_is_slow_and_in_time_is_waited_for(uploader, bucket, store, proxy, upload):
    proxy.faults(latency=READ_TIMEOUT / 4)
    other = uploader.begin(bucket, "b", len(CONTENT))
    assert uploader.get(upload["links"]["parts"]).status_code == 200
    assert uploader.delete(other["links"]["abort"]).status_code == 204
    assert uploader.complete(upload).status_code == 200
    proxy.reset()
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


def test_the_sweep_leaves_what_it_cannot_drop_to_the_next(uploader, bucket, store, proxy, upload):
    change = db.update(Upload).where(Upload.bucket_id == bucket.id)
    db.session.execute(change.values(expires_at=utcnow()))
    db.session.commit()
    proxy.faults(**FAULTS["down"])
    counts = sweep_expired()
    assert (counts.expired, counts.aborted, counts.failed) == (1, 0, 1)
    assert size_of(bucket) == len(CONTENT)
    proxy.reset()
    sweep_until_done()
    rows = Upload.query.filter_by(bucket_id=bucket.id).all()
    assert [row.state for row in rows] == ["aborted"]
    assert (size_of(bucket), open_at(store, rows)) == (0, [])
