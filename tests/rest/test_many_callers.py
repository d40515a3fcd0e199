# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Several callers complete one upload at the same time, on a real store."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion

from ..conftest import REAL
from ..people import Person, key_of, send_parts

PART = 5 * 2**20


def at_once(app, uploader, call, callers):
    """Let one person call several times at the same time; return statuses and bodies."""
    cookie = uploader.client.get_cookie("session")
    db.session.commit()

    def one(number):
        person = Person(app)
        person.client.set_cookie("session", cookie.value)
        with app.app_context():
            answer = call(person, number)
            return answer.status_code, answer.get_json(silent=True)

    with ThreadPoolExecutor(callers) as pool:
        return list(pool.map(one, range(callers)))


@pytest.mark.parametrize("place", [REAL], indirect=True)
def test_eight_callers_complete_one_upload(app, uploader, bucket):
    content = os.urandom(2 * PART + 1)
    upload = uploader.begin(bucket, "a", len(content), part_size=PART)
    send_parts(upload, content)
    answers = at_once(app, uploader, lambda person, number: person.complete(upload), 8)
    assert [status for status, _ in answers] == [200] * 8
    assert all(answer == answers[0] for answer in answers)
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == len(content)
    assert ObjectVersion.query.filter_by(bucket_id=bucket.id).count() == 1


@pytest.mark.parametrize("place", [REAL], indirect=True)
@pytest.mark.parametrize("round_", range(5))
def test_complete_against_abort_has_one_winner_and_all_agree(app, uploader, bucket, store, round_):
    upload = uploader.begin(bucket, "a", 3)
    send_parts(upload, b"abc")

    def either(person, number):
        if (number + round_) % 2:
            return person.complete(upload)
        return person.delete(upload["links"]["abort"])

    answers = at_once(app, uploader, either, 4)

    completed = [body for status, body in answers if status == 200]
    aborted = [status for status, _ in answers if status == 204]
    assert bool(completed) != bool(aborted), answers
    assert {status for status, _ in answers} <= {200, 204, 409, 503}, answers
    state = uploader.get(upload["links"]["self"]).get_json()["state"]
    assert state == ("completed" if completed else "aborted")
    there = bool(completed)
    assert (ObjectVersion.get(bucket.id, "a") is not None) == there
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == 3 * there
    key = key_of(upload["urls"][0]["url"])
    listed = store.client().list_objects_v2(Bucket=store.bucket, Prefix=key)
    assert listed["KeyCount"] == there
    assert store.open_uploads(key) == {}
