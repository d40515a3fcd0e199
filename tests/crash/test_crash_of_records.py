# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A process may die while it serves a record: what it left is finished or swept as well."""

from __future__ import annotations

import pytest
from invenio_access.permissions import system_identity
from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import get_upload, recover_interrupted, sweep_expired, sweep_orphans

from ..people import put
from ..records import stack
from ..records.editor import transfer
from .deaths import CONTENT, age, at_store, is_gone, is_there

BEGIN = [
    "before store.create_upload",
    "after store.create_upload",
    "before commit 1",
    "after commit 1",
]
COMMIT = [
    "before store.list_parts",
    "after store.list_parts",
    "before commit 1",
    "after commit 1",
    "before store.complete_upload",
    "after store.complete_upload",
    "after store.head",
    "before commit 2",
    "after commit 2",
    "before commit 3",
    "after commit 3",
]
DELETE = [
    "before commit 1",
    "before commit 2",
    "before store.abort_upload",
    "after store.abort_upload",
    "after store.list_parts",
    "after store.head",
    "before commit 3",
]


@pytest.fixture(scope="module")
def service(app):
    """The file service of the records."""
    return stack.mount(app)


@pytest.fixture
def record(service, location):
    """A record without files."""
    return stack.new_record()


@pytest.fixture
def begun(service, record):
    """The upload of a record's file, with all its parts at the store."""
    wanted = transfer("a", len(CONTENT), 1, len(CONTENT))
    answer = service.init_files(system_identity, record["id"], [wanted]).to_dict()
    put(answer["entries"][0]["links"]["parts"][0]["url"], CONTENT)
    return Upload.query.one()


def status(service, record):
    entry = service.read_file_metadata(system_identity, record["id"], "a").to_dict()
    return entry["status"], entry["transfer"]["type"]


@pytest.mark.parametrize("line", BEGIN)
def test_begin(mortal, store, record, service, no_grace, line):
    others = set(store.open_uploads())
    mortal.die(line, "begin", record=record["id"], size=len(CONTENT))
    rows = Upload.query.all()
    assert len(rows) == (line == "after commit 1")

    assert sweep_orphans(dry_run=False).failed == 0
    age(expires_at=utcnow())
    sweep_expired()

    assert set(store.open_uploads()) <= others
    assert all(is_gone(store, record.bucket, row) for row in rows)
    assert db.session.get(Bucket, record.bucket_id, populate_existing=True).size == 0


@pytest.mark.parametrize("line", COMMIT)
def test_commit(mortal, store, record, service, begun, line):
    mortal.die(line, "commit", record=record["id"])

    service.commit_file(system_identity, record["id"], "a")

    assert status(service, record) == ("completed", "L")
    assert is_there(store, record.bucket, get_upload(begun.id))


@pytest.mark.parametrize("line", DELETE)
def test_delete(mortal, store, record, service, begun, line):
    mortal.die(line, "delete", record=record["id"])
    if line == "before commit 1":
        assert status(service, record) == ("pending", "M")
        assert len(at_store(store, begun)) == 2
        return

    age(updated_at=utcnow().replace(year=2000))
    sweep_expired()
    recover_interrupted()

    assert is_gone(store, record.bucket, get_upload(begun.id))
