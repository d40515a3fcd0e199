# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is done to the bucket of a scope through Invenio, before and between syncs."""

from __future__ import annotations

import pytest
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion
from invenio_files_rest.tasks import remove_file_data

from oarepo_s3.api import MultipartUpload
from oarepo_s3.core.errors import BucketLocked, BucketNotFound
from oarepo_s3.services import NewScope, complete_upload, create_scope, remove_scope, sync_scope

from ..conftest import send
from ..outcomes import size_of
from .reports import NAME, PREFIX, heads, sum_of_versions, synced


def test_versions_that_were_uploaded_through_invenio_are_left_alone(target, put, begin):
    put("both", b"outside")
    sync_scope(NAME)
    for key in ("own", "both"):
        complete_upload(begin(key, content=b"upload", bucket_id=target.id))
    before = size_of(target)
    assert synced(delete=True) == {"known": 1}
    assert heads(target.id) == {"own": 6, "both": 6}
    put("both", b"changed outside")
    assert synced(delete=True) == {"changed": 1}
    assert heads(target.id) == {"own": 6, "both": 15}
    assert size_of(target) == before + 15 == sum_of_versions(target.id)


def test_an_upload_under_way_is_not_covered(target, put):
    stream = MultipartUpload("a", "", None, 10)
    pending = ObjectVersion.create(target, "a", stream=stream, size=10)
    db.session.commit()
    put("a")
    assert synced() == {"known": 1}
    assert ObjectVersion.query.filter_by(version_id=pending.version_id).one().is_head


def test_the_bucket_of_a_scope_holds_uploads_as_well(target, begin, memory):
    upload = begin("a", size=3, bucket_id=target.id)
    send(memory, upload, b"abc")
    assert complete_upload(upload).state == "completed"


def test_a_file_that_was_linked_before_is_not_taken_twice(target, bucket, put):
    put("a")
    linked = ObjectVersion.create(bucket, "mine")
    linked.set_location(f"memory://rules/{PREFIX}/a", 7, "md5:0")
    db.session.commit()
    assert synced(delete=True) == {"known": 1}
    assert heads(target.id) == {}
    assert FileInstance.query.one().checksum == "md5:0"


def test_what_is_deleted_in_invenio_stays_deleted_until_its_object_changes(target, put):
    put("a")
    sync_scope(NAME)
    ObjectVersion.delete(target, "a")
    db.session.commit()
    assert synced() == {"known": 1}
    assert heads(target.id) == {"a": None}
    put("a", b"newer")
    assert synced() == {"changed": 1}
    assert heads(target.id) == {"a": 5}


def test_removing_a_version_for_good_leaves_the_object_and_it_comes_back(memory, target, put):
    put("a", b"old")
    sync_scope(NAME)
    put("a", b"newer")
    sync_scope(NAME)
    newest = ObjectVersion.get(target, "a")
    file_id = newest.file_id
    newest.remove()
    ObjectVersion.get_versions(target, "a").first().is_head = True
    db.session.commit()
    remove_file_data(str(file_id))
    assert memory.read(f"{PREFIX}/a") == b"newer"
    assert synced() == {"added": 1}
    assert ObjectVersion.get(target, "a").file_id == file_id
    assert size_of(target) == sum_of_versions(target.id) == 8
    assert synced() == {"unchanged": 1}


def test_a_scope_that_was_forgotten_fills_another_bucket_with_the_same_files(target, bucket, put):
    put("a")
    sync_scope(NAME)
    remove_scope(NAME)
    create_scope(NewScope(NAME, "default", bucket_id=bucket.id))
    assert synced() == {"added": 1}
    assert ObjectVersion.get(bucket, "a").file == ObjectVersion.get(target, "a").file
    assert (size_of(bucket), size_of(target)) == (7, 7)


def test_sizes_are_those_of_files_rest_whatever_is_done_to_the_versions(memory, target, put):
    for key in "abc":
        put(key, b"12345")
    sync_scope(NAME)
    put("a", b"123")
    sync_scope(NAME)
    assert size_of(target) == 18
    ObjectVersion.get(target, "b").remove()
    ObjectVersion.delete(target, "c")
    db.session.commit()
    assert size_of(target) == 8
    for version in ObjectVersion.get_versions(target, "a").all():
        version.remove()
    db.session.commit()
    assert size_of(target) == 0


def test_a_quota_does_not_stop_what_is_there_already_but_later_uploads(target, put, begin):
    target.quota_size = 10
    db.session.commit()
    put("a", b"x" * 20)
    assert synced() == {"added": 1}
    assert size_of(target) == 20
    with pytest.raises(Exception, match="do not fit"):
        begin("b", size=1, bucket_id=target.id)


def test_a_bucket_that_takes_no_changes_stops_the_sync(target, put):
    put("a")
    target.locked = True
    db.session.commit()
    assert synced(dry_run=True) == {"added": 1}
    with pytest.raises(BucketLocked):
        sync_scope(NAME)
    target.deleted = True
    db.session.commit()
    with pytest.raises(BucketNotFound):
        sync_scope(NAME)
