# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Several callers at once, on a database and a store that take several."""

from __future__ import annotations

import contextlib
import os
from concurrent.futures import ThreadPoolExecutor, wait

import pytest
from invenio_db import db
from invenio_files_rest.models import ObjectVersion
from invenio_records_resources.services.files import tasks
from sqlalchemy.orm.exc import StaleDataError

from oarepo_s3.transfers import multipart

from ..conftest import REAL
from .editor import PART, transfer

CALLERS = 4


@pytest.fixture(scope="module", params=[REAL])
def place(request):
    """SQLite takes one writer at a time."""
    return request.param


def at_once(works):
    """Call them at the same time; each request has a session of the database of its own."""
    db.session.commit()
    with ThreadPoolExecutor(len(works)) as pool:
        return [done.result() for done in [pool.submit(work) for work in works]]


def doubles(app, editor):
    """The same editor, in as many clients as there are callers."""
    made = []
    for _ in range(CALLERS):
        client = app.test_client()
        with editor.person.client.session_transaction() as session:
            known = dict(session)
        with client.session_transaction() as session:
            session.update(known)
        made.append(client)
    return made


def test_a_file_is_committed_once_by_several(app, editor):
    content = os.urandom(PART)
    editor.send(editor.begin("a.bin", PART), content)
    address = editor.of("a.bin", "/commit")

    answers = at_once([lambda c=c: c.post(address).status_code for c in doubles(app, editor)])

    assert 200 in answers
    assert editor.commit("a.bin").status_code == 200
    assert [upload.state for upload in editor.uploads()] == ["completed"]
    assert editor.content("a.bin") == content
    assert editor.bucket_size() == PART
    assert set(answers) <= {200, 503}


@pytest.mark.parametrize("turn", range(3))
def test_a_file_is_committed_or_removed(app, editor, turn):
    editor.send(editor.begin("a.bin", PART), os.urandom(PART))
    commits, deletes = doubles(app, editor)[:2]

    def remove():
        # records-resources itself has no answer when the file was changed meanwhile.
        with contextlib.suppress(StaleDataError):
            deletes.delete(editor.of("a.bin"))

    answer, _ = at_once([lambda: commits.post(editor.of("a.bin", "/commit")), remove])
    assert answer.status_code in (200, 404, 409)

    editor.delete("a.bin")
    assert editor.uploads()[0].state in ("aborted", "completed")
    assert editor.at_store() == set()
    assert editor.bucket_size() == 0


def in_between(monkeypatch, work, *, late):
    """While a file is being committed, let another client do something, and say what came of it.

    :param late: after the upload was completed; else before, and the upload is read after that.
    """
    complete, answers = multipart.complete_upload, []

    def overtaken(upload):
        monkeypatch.setattr(multipart, "complete_upload", complete)
        done = complete(upload) if late else upload
        with ThreadPoolExecutor(1) as pool:
            answers.append(pool.submit(work).result())
        db.session.expire(upload)
        return done if late else complete(upload)

    monkeypatch.setattr(multipart, "complete_upload", overtaken)
    return answers


@pytest.mark.parametrize("late", [True, False], ids=["late", "early"])
def test_what_another_has_committed_meanwhile_is_left_as_it_is(app, editor, monkeypatch, late):
    content = os.urandom(PART)
    editor.send(editor.begin("a.bin", PART), content)
    other, readings = doubles(app, editor)[0], []
    monkeypatch.setattr(
        tasks.recompute_multipart_checksum_task,
        "apply_async",
        lambda args=(), **kwargs: readings.append(args),
    )
    answers = in_between(
        monkeypatch, lambda: other.post(editor.of("a.bin", "/commit")).status_code, late=late
    )

    done = editor.commit("a.bin")

    assert (done.status_code, answers) == (200, [200])
    assert (done.get_json()["status"], done.get_json()["transfer"]) == ("completed", {"type": "L"})
    assert editor.content("a.bin") == content
    # The whole file is to be read by one task.
    assert len(readings) == 1


@pytest.mark.parametrize("which", ["/a.bin", ""], ids=["the file", "all files"])
def test_a_file_that_is_removed_while_it_is_committed_is_not_found(app, editor, monkeypatch, which):
    editor.send(editor.begin("a.bin", PART), os.urandom(PART))
    other = doubles(app, editor)[0]
    answers = in_between(monkeypatch, lambda: other.delete(editor.at(which)).status_code, late=True)
    assert editor.commit("a.bin").status_code == 404
    assert answers == [204]
    assert editor.bucket_size() == 0


def test_a_file_is_removed_while_its_session_is_given_up(app, editor, monkeypatch):
    editor.begin("a.bin", PART)
    session = f"/multipart-uploads/{editor.uploads()[0].id}"
    other, delete = doubles(app, editor)[0], ObjectVersion.delete
    pool, given_up = ThreadPoolExecutor(1), []

    def when_the_entry_is_locked(bucket, key):
        monkeypatch.setattr(ObjectVersion, "delete", delete)
        given_up.append(pool.submit(lambda: other.delete(session).status_code))
        # Time to come as far as it can: it waits for the entry, and must not hold the bucket.
        wait(given_up, timeout=3)
        return delete(bucket, key)

    monkeypatch.setattr(ObjectVersion, "delete", when_the_entry_is_locked)
    with pool:
        assert editor.delete("a.bin").status_code == 204
    assert given_up[0].result() == 204
    assert [upload.state for upload in editor.uploads()] == ["aborted"]
    assert (editor.bucket_size(), editor.at_store()) == (0, set())


def test_files_that_begin_at_once_share_the_room(app, new_editor):
    editor = new_editor(quota_size=2 * PART)
    clients = doubles(app, editor)

    answers = at_once(
        [
            lambda c=c, n=n: c.post(editor.at(), json=[transfer(f"{n}.bin", PART)]).status_code
            for n, c in enumerate(clients)
        ]
    )

    assert sorted(answers) == [201, 201, 400, 400]
    assert editor.bucket_size() == 2 * PART
    assert len(editor.uploads()) == 2
    assert len(editor.at_store()) == 2
