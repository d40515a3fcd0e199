# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A real worker: it goes on when its broker is back; when it is killed, another one takes over."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from invenio_db import db

from oarepo_s3.backends.redact import MASK
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import NewUpload, create_upload
from oarepo_s3.services.stored import StoredUpload

from ..conftest import REAL, settings_for, start
from ..services import AnswerProxy, Valkey
from . import heartbeat
from .worker import SWEEP, Worker, send

PATIENCE = 90
"""Seconds for a worker to do what it was told; it takes one or two, and more to reconnect."""

LOST = "Connection to broker lost"


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph."""
    return request.param


@pytest.fixture(scope="module")
def proxy(ceph) -> Iterator[AnswerProxy]:
    """What is between everybody and the store."""
    with AnswerProxy(ceph.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def store(place, ceph_store, proxy):
    """The store, behind the proxy."""
    return replace(ceph_store, endpoint_url=proxy.endpoint_url)


@pytest.fixture
def broker(tmp_path) -> Iterator[Valkey]:
    """A broker to be killed."""
    yield from start(Valkey(tmp_path / "broker"))


@pytest.fixture
def settings(store, db_uri, broker):
    """Settings of a worker."""
    eager = ("CELERY_TASK_ALWAYS_EAGER", "CELERY_TASK_EAGER_PROPAGATES")
    return {
        **{name: value for name, value in settings_for(store).items() if name not in eager},
        "SQLALCHEMY_DATABASE_URI": db_uri,
        "SECRET_KEY": "worker",
        "OAREPO_S3_SWEEP_THREADS": 1,  # one after another, so that one can be held
        # invenio-celery has a default for either name, and Celery takes the first.
        "BROKER_URL": broker.url,
        "CELERY_BROKER_URL": broker.url,
        "CELERY_RESULT_BACKEND": broker.url,
    }


@pytest.fixture
def expire(database, bucket):
    """Open uploads whose time is over, and return what tells their states."""
    db.session.execute(db.delete(Upload))
    db.session.commit()

    def states():
        db.session.rollback()
        rows = db.session.scalars(db.select(Upload).order_by(Upload.id)).all()
        return [row.state for row in rows]

    def open_some(number):
        for key in range(number):
            create_upload(NewUpload(bucket_id=bucket.id, key=f"{key}", size=10))
        db.session.execute(db.update(Upload).values(expires_at=utcnow()))
        db.session.commit()
        return states

    return open_some


def wait_for(states, wanted):
    """Wait until the uploads have these states."""
    deadline = time.monotonic() + PATIENCE
    while (now := states()) != wanted:
        assert time.monotonic() < deadline, now
        time.sleep(0.1)


def open_at(store):
    """Return how many multipart uploads the store holds for the rows."""
    client = store.client()
    keys = [StoredUpload.of(row).key for row in Upload.query.all()]
    return sum(
        len(client.list_multipart_uploads(Bucket=store.bucket, Prefix=key).get("Uploads", []))
        for key in keys
    )


@pytest.fixture
def goes_on(tmp_path, broker, expire) -> Iterator[Callable[..., None]]:
    """Start the broker anew, and see that the worker does what is sent to it."""
    # Ended after the worker: one without a broker may not obey.
    with contextlib.ExitStack() as stack:

        def see(worker, before):
            states = expire(2)
            again = stack.enter_context(Valkey(tmp_path / "again", port=broker.port))
            assert again.url == broker.url
            send(SWEEP, again.url)
            wait_for(states, [*before, "aborted", "aborted"])
            assert worker.process.poll() is None

        yield see


@pytest.mark.parametrize("pool", ["solo", "prefork"])
def test_a_worker_goes_on_when_its_broker_is_back(
    tmp_path, store, broker, settings, expire, goes_on, pool
):
    # With heartbeats nobody knows when it hears of the loss: see the next test.
    quiet = ["--without-heartbeat"]
    with Worker(tmp_path / "worker", settings, pool=pool, options=quiet) as worker:
        states = expire(1)
        send(SWEEP, broker.url)
        wait_for(states, ["aborted"])

        broker.kill()
        wait_until_said(worker, LOST)
        goes_on(worker, ["aborted"])
        assert open_at(store) == 0


def test_a_worker_whose_broker_goes_in_its_heartbeat_goes_on_when_it_is_back(
    tmp_path, monkeypatch, store, broker, settings, goes_on
):
    order = tmp_path / "order"
    monkeypatch.setenv(heartbeat.ORDER, str(order))
    kills = ["--include", heartbeat.__name__]
    with Worker(tmp_path / "worker", settings, pool="prefork", options=kills) as worker:
        heartbeat.order_kill(order, *broker.pids)
        broker.wait()
        goes_on(worker, [])
        # It says so at last, as the page for operators promises.
        assert LOST in worker.log
        assert open_at(store) == 0


def wait_until_said(worker, words):
    """Wait for something in the worker's log."""
    deadline = time.monotonic() + PATIENCE
    while words not in worker.log:
        assert time.monotonic() < deadline, worker.log[-2000:]
        time.sleep(0.1)


@pytest.fixture
def held(proxy) -> Iterator[threading.Event]:
    """The second abort at the store is done, and its answer held back; set once it is."""
    reached, release = threading.Event(), threading.Event()

    def hold(own):
        reached.set()
        release.wait(PATIENCE)
        return own

    proxy.answer(lambda own: own, method="DELETE", query="uploadId=", times=1)
    proxy.answer(hold, method="DELETE", query="uploadId=", times=1)
    yield reached
    release.set()
    proxy.reset()


def test_another_worker_ends_the_sweep_of_one_that_was_killed(
    tmp_path, store, broker, settings, expire, held
):
    states = expire(3)
    with Worker(tmp_path / "first", settings) as first:
        send(SWEEP, broker.url)
        assert held.wait(PATIENCE)
        wait_for(states, ["aborted", "expired", "expired"])
        first.kill()
    assert open_at(store) == 1

    # Whoever was killed holds its uploads until its lease has ended.
    db.session.execute(db.update(Upload).values(rests_until=utcnow()))
    db.session.commit()
    with Worker(tmp_path / "second", settings):
        send(SWEEP, broker.url)
        wait_for(states, ["aborted"] * 3)
    assert open_at(store) == 0


def test_the_log_of_a_worker_shows_no_secret_at_any_level(
    tmp_path, store, broker, settings, expire
):
    with Worker(tmp_path / "worker", settings, level="DEBUG") as worker:
        states = expire(1)
        token = db.session.scalar(db.select(Upload.token))
        send(SWEEP, broker.url)
        wait_for(states, ["aborted"])
        wait_until_said(worker, "succeeded in")
        # The SDK said what it sends.
        assert f"Signature={MASK}" in worker.log
        assert re.findall(r"Signature[=:]\s*[0-9a-f]", worker.log) == []
        assert [secret for secret in (store.secret_key, token) if secret in worker.log] == []
