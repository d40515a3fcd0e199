# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Several files of one record at the same time, as an uploader in a browser sends them."""

from __future__ import annotations

import time

import pytest
from invenio_files_rest.models import Bucket

from tests.conftest import REAL
from tests.rest.test_many_callers import at_once

from .conftest import send

FILES = 6


@pytest.mark.parametrize("place", [REAL], indirect=True)
def test_the_record_has_all_files_that_came_at_once(app, author, plain, monkeypatch):
    commit = plain.DataRecord.commit

    def slow(self, **kwargs):
        time.sleep(0.1)
        return commit(self, **kwargs)

    monkeypatch.setattr(plain.DataRecord, "commit", slow)

    def begin(person, number):
        address = author.file(f"{number}.bin", "begin-multipart")
        return person.post(address, json={"size": number})

    begun = at_once(app, author, begin, FILES)
    assert [status for status, _ in begun] == [201] * FILES
    sessions = [session for _, session in begun]
    assert sorted(file["key"] for file in author.listed()) == [f"{n}.bin" for n in range(FILES)]
    for number, session in enumerate(sessions):
        send(session, b"x" * number)

    done = at_once(
        app, author, lambda person, number: person.post(sessions[number]["complete_url"]), FILES
    )

    assert [status for status, _ in done] == [200] * FILES
    told = {body["key"]: body["file"]["checksum"] for _, body in done}
    assert {file["key"]: file["checksum"] for file in author.listed()} == told
    assert Bucket.get(sessions[0]["bucket"]).size == sum(range(FILES))
