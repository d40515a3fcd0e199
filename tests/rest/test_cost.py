# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An upload of 10,000 parts costs what one of 3 parts costs."""

from __future__ import annotations

import statistics
import time
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from invenio_db import db

from ..people import new_person

PART = 5 * 2**20
FEW, MANY = 3 * PART, 10_000 * PART
ROUNDS = 40


@pytest.fixture
def person(app):
    """People whose answers are not compared with the OpenAPI document: that costs too."""
    return lambda: new_person(app)


@contextmanager
def counted_statements():
    """Count what goes to the database."""
    statements = []

    def count(conn, cursor, statement, parameters, context, executemany):
        statements.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", count)
    yield statements
    sa.event.remove(db.engine, "before_cursor_execute", count)


@contextmanager
def counted_calls(app, bucket):
    """Count what goes to the store."""
    calls = []
    client = app.extensions["oarepo-s3"].store(bucket.location.uri + "/x")._client
    client.meta.events.register("before-send.s3", lambda **kwargs: calls.append(kwargs))
    yield calls
    client.meta.events.unregister("before-send.s3")


def test_calls_statements_and_bytes_do_not_grow_with_the_parts(app, uploader, bucket):
    uploader.begin(bucket, "warm", FEW, part_size=PART)
    cost = {}
    for size in (FEW, MANY):
        with counted_statements() as statements, counted_calls(app, bucket) as calls:
            answer = uploader.post(
                "/multipart-uploads",
                json={"bucket": str(bucket.id), "key": f"f{size}", "size": size, "part_size": PART},
            )
        assert answer.get_json()["num_parts"] == size // PART
        cost[size] = (len(calls), len(statements))
        assert len(answer.data) < 20_000
    assert cost[FEW] == cost[MANY]
    assert cost[MANY][0] == 1


@pytest.mark.parametrize("path", ["links.self", "links.parts"])
def test_looking_at_an_upload_does_not_grow_with_its_parts(uploader, bucket, path):
    upload = uploader.begin(bucket, "many", MANY, part_size=PART)
    assert len(uploader.get(upload["links"][path.rpartition(".")[2]]).data) < 2_000


def test_the_time_does_not_grow_with_the_parts(uploader, bucket):
    """Medians of calls taken in turn, in CPU time: other work on the machine does not count."""
    times = {FEW: [], MANY: []}
    for number in range(ROUNDS):
        for size in (FEW, MANY) if number % 2 else (MANY, FEW):
            start = time.thread_time()
            uploader.begin(bucket, f"f{number}-{size}", size, part_size=PART)
            times[size].append(time.thread_time() - start)
    ratio = statistics.median(times[MANY]) / statistics.median(times[FEW])
    print(f"10,000 parts against 3: {ratio:.3f}")
    assert ratio < 1.2
