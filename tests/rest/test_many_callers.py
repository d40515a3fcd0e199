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
from ..people import Person, send_parts

PART = 5 * 2**20


@pytest.mark.parametrize("place", [REAL], indirect=True)
def test_eight_callers_complete_one_upload(app, uploader, bucket):
    content = os.urandom(2 * PART + 1)
    upload = uploader.begin(bucket, "a", len(content), part_size=PART)
    send_parts(upload, content)
    cookie = uploader.client.get_cookie("session")
    db.session.commit()

    def complete(number):
        person = Person(app)
        person.client.set_cookie("session", cookie.value)
        with app.app_context():
            answer = person.complete(upload)
            return answer.status_code, answer.get_json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(complete, range(8)))
    assert [status for status, _ in answers] == [200] * 8
    assert all(answer == answers[0] for answer in answers)
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == len(content)
    assert ObjectVersion.query.filter_by(bucket_id=bucket.id).count() == 1
