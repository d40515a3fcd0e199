# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The sweep of what the store holds and no session knows."""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Location, ObjectVersion

from oarepo_s3.api import MultipartUpload
from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.services import abort_upload, complete_upload, sweep_orphans
from oarepo_s3.services.create import object_uri
from oarepo_s3.tasks import sweep_orphaned_multipart_uploads

from .conftest import PART

NOTHING = {"found": 0, "aborted": 0, "failed": 0, "bytes": 0, "unlisted": []}
GRACE = timedelta(days=1)


pytestmark = pytest.mark.usefixtures("_no_older_uploads")


def age(memory, by=GRACE + timedelta(minutes=1)):
    """Let the uploads that the store has grow older."""
    for upload in memory._content.uploads.values():
        upload.initiated -= by


def own_key(location):
    return ObjectURI.parse(object_uri(location.uri, uuid.uuid4())).key


def open_at_store(memory, key, content=b"xyz"):
    upload_id = memory.create_upload(key, content_type=None, metadata={})
    memory.put_part(f"memory://{upload_id}#1", content)
    return upload_id


def roll_back_an_assignment(memory, bucket):
    mu = MultipartUpload("a", bucket.location.uri, 3600, PART + 3)
    ObjectVersion.create(bucket, "a", stream=mu)
    memory.put_part(mu.session.part_urls[0], b"xyz")
    db.session.rollback()


def test_what_a_rolled_back_assignment_left_is_found_and_aborted_after_the_grace(memory, bucket):
    roll_back_an_assignment(memory, bucket)
    assert sweep_orphans(dry_run=False).as_dict() == NOTHING

    age(memory)
    found = {**NOTHING, "found": 1, "bytes": 3}
    assert sweep_orphaned_multipart_uploads.delay().result == found
    assert len(memory.uploads) == 1, "a dry run is the default"
    assert sweep_orphaned_multipart_uploads(dry_run=False) == {**found, "aborted": 1}
    assert memory.uploads == {}
    assert sweep_orphans().as_dict() == NOTHING


def test_each_orphan_has_a_line_in_the_log(memory, location, caplog):
    keys = {own_key(location) for _ in range(3)}
    for key in keys:
        open_at_store(memory, key)
    age(memory)
    for dry_run, action in ((True, "orphan_found"), (False, "orphan_aborted")):
        caplog.clear()
        with caplog.at_level(logging.WARNING):
            sweep_orphans(dry_run=dry_run)
        lines = [r for r in caplog.records if getattr(r, "action", None) == action]
        assert {line.key for line in lines} == keys
        assert all("3 bytes" in line.getMessage() for line in lines)


@pytest.mark.parametrize(
    "foreign",
    [
        "other-app/file",
        "{tail}/data",  # a file that files-rest itself is writing
        "{tail}/data-0123456789abcdef",  # another instance, whose secret is another one
        "elsewhere/{own}",
        "{own}/more",
    ],
)
def test_uploads_of_others_are_never_touched(memory, location, foreign):
    own = own_key(location)
    tail = own.rpartition("/")[0]
    theirs = open_at_store(memory, foreign.format(own=own, tail=tail))
    age(memory, timedelta(days=365))
    assert sweep_orphans(dry_run=False).as_dict() == NOTHING
    assert list(memory.uploads) == [theirs]


def test_open_sessions_are_left_alone_however_old(begin, memory):
    upload = begin(content=b"xyz")
    without_id = begin(content=b"xyz")
    without_id.store_upload_id = None
    db.session.commit()
    age(memory)
    assert sweep_orphans(dry_run=False).as_dict() == NOTHING
    assert len(memory.uploads) == 2
    complete_upload(upload)


@pytest.mark.parametrize("end", [abort_upload, complete_upload])
def test_parts_that_an_ended_session_left_are_orphans(begin, memory, end):
    upload = begin(content=b"xyz")
    end(upload)
    late = open_at_store(memory, ObjectURI.parse(upload.uri).key)
    age(memory)
    assert sweep_orphans(dry_run=False).as_dict() == {
        **NOTHING,
        "found": 1,
        "aborted": 1,
        "bytes": 3,
    }
    assert late not in memory.uploads
    if end is complete_upload:
        assert memory.read(ObjectURI.parse(upload.uri).key) == b"xyz"


def test_one_that_fails_does_not_stop_the_others(memory, location, monkeypatch):
    stubborn, *_ = (open_at_store(memory, own_key(location)) for _ in range(3))
    age(memory)
    original = MemoryStore.abort_upload

    def refuse(self, key, upload_id):
        if upload_id == stubborn:
            raise StoreUnavailable(reason="down")
        original(self, key, upload_id)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryStore, "abort_upload", refuse)
        counts = sweep_orphans(dry_run=False)
    assert counts.as_dict() == {**NOTHING, "found": 3, "aborted": 2, "failed": 1, "bytes": 6}
    assert list(memory.uploads) == [stubborn]
    assert sweep_orphans(dry_run=False).aborted == 1


def test_many_pages_are_compared_with_the_database(begin, memory, location, monkeypatch):
    monkeypatch.setattr("oarepo_s3.services.orphans.PAGE", 3)
    known = [begin(f"f{i}", content=b"x") for i in range(4)]
    for _ in range(5):
        open_at_store(memory, own_key(location))
    age(memory)
    assert sweep_orphans(dry_run=False).aborted == 5
    assert set(memory.uploads) == {upload.store_upload_id for upload in known}


@pytest.fixture
def deaf(memory, monkeypatch):
    """A store that lists by exact key alone, as MinIO does."""
    original = MemoryStore.list_uploads
    monkeypatch.setattr(
        MemoryStore,
        "list_uploads",
        lambda self, prefix: (u for u in original(self, prefix) if u.key == prefix),
    )
    return memory


def test_a_store_that_cannot_list_by_prefix_says_so(deaf, location, caplog):
    open_at_store(deaf, own_key(location))
    age(deaf)
    assert sweep_orphans(dry_run=False).as_dict() == {**NOTHING, "unlisted": ["default"]}
    assert len(deaf.uploads) == 1, "nothing of the probe is left, and the orphan is"
    assert "Nothing is known of orphaned uploads in the location default" in caplog.text


def test_one_location_that_does_not_answer_does_not_stop_the_others(memory, location):
    other = MemoryStore("second")
    open_at_store(other, own_key(location))
    age(other)
    for name, uri in (("second", "memory://second"), ("disk", "/var/files"), ("odd", "odd://x")):
        db.session.add(Location(name=name, uri=uri))
    db.session.commit()
    memory.fail("list_uploads", StoreUnavailable(reason="down"))
    try:
        counts = sweep_orphans(dry_run=False)
    finally:
        Location.query.filter(Location.name != "default").delete()
        db.session.commit()
    assert counts.as_dict() == {
        **NOTHING,
        "found": 1,
        "aborted": 1,
        "bytes": 3,
        "unlisted": ["default"],
    }
    assert (memory.uploads, other.uploads) == ({}, {})


def test_marks_made_with_an_older_secret_are_still_recognised(app, memory, location):
    open_at_store(memory, own_key(location))
    age(memory)
    secret = app.secret_key
    app.secret_key = "another one"
    try:
        assert sweep_orphans().found == 0
        app.config["SECRET_KEY_FALLBACKS"] = [secret]
        assert sweep_orphans().found == 1
    finally:
        app.secret_key = secret
        app.config["SECRET_KEY_FALLBACKS"] = None
