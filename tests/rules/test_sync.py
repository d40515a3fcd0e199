# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What others put into a scope becomes versions: each once, and without a byte being read."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import (
    Bucket,
    FileInstance,
    Location,
    ObjectVersion,
    ObjectVersionTag,
)
from invenio_files_rest.tasks import remove_file_data

from oarepo_s3.api import MultipartUpload
from oarepo_s3.backends import Form
from oarepo_s3.core.errors import (
    BucketLocked,
    BucketNotFound,
    ScopeNotFound,
    ScopeTaken,
    StoreFault,
    StoreMisconfigured,
    StoreUnavailable,
)
from oarepo_s3.models import Scope
from oarepo_s3.services import (
    NewScope,
    complete_upload,
    create_scope,
    external,
    get_scope,
    remove_scope,
    sync_scope,
)
from oarepo_s3.services import sync as sync_module
from oarepo_s3.services.context import UploadContext
from oarepo_s3.services.external import EXTERNAL_TAG
from oarepo_s3.tasks import sync_scopes

from .conftest import send

NAME = "user:data"
PREFIX = "user/data"


@pytest.fixture(autouse=True)
def _no_older_scopes(memory):
    """Start without files: those of an earlier test have URIs that a test uses again."""
    for model in (Scope, ObjectVersionTag, ObjectVersion, FileInstance):
        db.session.execute(sa.delete(model))
    db.session.commit()


@pytest.fixture
def put(memory):
    """Do what another tool does: put an object into the store."""

    def put(key, content=b"content", prefix=f"{PREFIX}/"):
        form = Form("", {"key": f"{prefix}{key}", "size": str(len(content))}, timedelta(hours=1))
        memory.post_form(form, content)

    return put


@pytest.fixture
def scope(location):
    return create_scope(NewScope(NAME, "default"))


@pytest.fixture
def target(scope):
    """The bucket of the scope."""
    return Bucket.get(scope.bucket_id)


def synced(name=NAME, **options):
    """Sync, and return the counts that are not 0."""
    counts = sync_scope(name, **options).as_dict()
    return {key: value for key, value in counts.items() if isinstance(value, int) and value}


def changes(name=NAME, **options):
    """Sync, and return what was reported, in signs."""
    found = []
    sync_scope(name, report=found.append, **options)
    return [f"{change.kind} {change.key} {change.size}" for change in found]


def heads(bucket_id):
    """The newest versions: None for a delete marker, else the size."""
    rows = ObjectVersion.get_by_bucket(bucket_id, with_deleted=True).all()
    return {row.key: row.file.size if row.file else None for row in rows}


def sum_of_versions(bucket_id):
    rows = ObjectVersion.get_by_bucket(bucket_id, versions=True).all()
    return sum(row.file.size for row in rows)


def size(bucket_id):
    return db.session.scalar(sa.select(Bucket.size).where(Bucket.id == bucket_id))


def test_an_object_becomes_a_version_that_is_marked(memory, scope, target, put):
    put("a/b.txt", b"12345")
    assert synced() == {"added": 1}
    version = ObjectVersion.get(target, "a/b.txt")
    file = version.file
    assert file.uri == f"memory://rules/{PREFIX}/a/b.txt"
    assert (file.size, file.readable, file.writable) == (5, True, False)
    assert file.checksum == f"etag:{memory.head(f'{PREFIX}/a/b.txt').etag}"
    assert file.storage_class == target.default_storage_class
    assert version.get_tags().keys() == {EXTERNAL_TAG}
    assert version.get_tags()[EXTERNAL_TAG].endswith("Z")
    assert version.mimetype == "text/plain"
    assert get_scope(NAME).synced_at is not None


def test_what_lies_beside_the_prefix_is_not_taken(target, put):
    put("a", prefix="user/dataset/")
    put("b", prefix="other/")
    put("c")
    assert changes() == ["new c 7"]


def test_a_changed_object_becomes_a_new_version_and_the_old_one_has_no_bytes(target, put):
    put("a", b"old")
    sync_scope(NAME)
    old = ObjectVersion.get(target, "a").file
    checksum = old.checksum
    put("a", b"newer")
    assert changes() == ["changed a 5"]
    versions = ObjectVersion.get_versions(target, "a").all()
    assert [version.is_head for version in versions] == [True, False]
    assert versions[0].file.uri.endswith("/a")
    assert (old.uri, old.readable, old.size, old.checksum) == (None, False, 3, checksum)
    assert size(target.id) == sum_of_versions(target.id) == 8


def test_what_is_gone_gets_a_delete_marker_on_demand_alone(memory, target, put):
    put("a")
    put("b")
    sync_scope(NAME)
    memory.delete(f"{PREFIX}/a")
    assert changes() == ["gone a 7"]
    assert synced() == {"gone": 1, "unchanged": 1}
    assert heads(target.id) == {"a": 7, "b": 7}
    assert synced(delete=True) == {"deleted": 1, "unchanged": 1}
    assert heads(target.id) == {"a": None, "b": 7}
    assert size(target.id) == 7
    covered = ObjectVersion.get_versions(target, "a").all()[1].file
    assert (covered.uri, covered.readable) == (None, False)
    assert synced(delete=True) == {"unchanged": 1}
    put("a")
    assert synced(delete=True) == {"added": 1, "unchanged": 1}
    assert heads(target.id) == {"a": 7, "b": 7}


@pytest.fixture
def statements(database):
    """The statements that were sent to the database."""
    sent = []

    def note(connection, cursor, statement, *more):
        sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(db.engine, "before_cursor_execute", note)


def test_a_second_run_writes_nothing_but_its_time(memory, target, put, statements):
    for number in range(30):
        put(f"{number}")
    put("folder/", b"")
    ObjectVersion.create(target, "deleted")
    db.session.commit()
    put("deleted")
    sync_scope(NAME)
    ObjectVersion.delete(target, "deleted")
    db.session.commit()
    statements.clear()
    assert synced() == {"unchanged": 30, "known": 1, "skipped": 1}
    written = [each for each in statements if not each.lstrip().startswith("SELECT")]
    written = [each for each in written if not each.startswith(("BEGIN", "SAVEPOINT", "RELEASE"))]
    assert [each.split()[:2] for each in written] == [["UPDATE", "oarepo_s3_scope"]]


def test_the_store_is_asked_for_a_list_alone_and_no_transaction_is_open_then(
    memory, target, put, monkeypatch
):
    for key in ("a", "aa", "b"):
        put(key)
    sync_scope(NAME)
    ObjectVersion.delete(target, "aa")
    db.session.commit()
    put("b", b"other")
    put("c")
    memory.delete(f"{PREFIX}/a")
    memory.calls.clear()
    listed, open_ones = type(memory).list_objects, []

    def watched(store, prefix, **more):
        for found in listed(store, prefix, **more):
            open_ones.append(db.session.registry().in_transaction())
            yield found
        open_ones.append(db.session.registry().in_transaction())

    monkeypatch.setattr(type(memory), "list_objects", watched)
    monkeypatch.setattr(sync_module, "PAGE", 1)
    assert synced(delete=True) == {"added": 1, "changed": 1, "deleted": 1, "known": 1}
    assert memory.calls == ["list_objects"]
    assert open_ones == [False] * 4


def test_a_dry_run_tells_the_difference_and_writes_nothing(memory, target, put, statements):
    put("a")
    put("b")
    sync_scope(NAME)
    memory.delete(f"{PREFIX}/a")
    put("b", b"other")
    put("c")
    put("d/", b"")
    statements.clear()
    told = changes(dry_run=True, delete=True)
    assert sorted(told) == ["changed b 5", "gone a 7", "new c 7", "skipped d/ 0"]
    assert {each.split()[0] for each in statements} <= {"SELECT", "BEGIN"}
    assert heads(target.id) == {"a": 7, "b": 7}


def test_a_place_that_was_never_synced_becomes_a_scope_with_a_bucket(location, put):
    put("a", prefix="out side/")
    put("x", prefix="")
    dry = sync_scope("default:out side", dry_run=True)
    assert (dry.added, dry.bucket, Scope.query.count()) == (1, None, 0)
    counts = sync_scope("default:out side/")
    assert (counts.scope, counts.added) == ("default:out side", 1)
    assert heads(counts.bucket) == {"a": 7}
    assert sync_scope("default:out side").bucket == counts.bucket
    with pytest.raises(ScopeTaken):
        sync_scope("default")


def test_a_scope_is_found_by_its_place_too(scope):
    assert sync_scope(f"default:{PREFIX}").scope == NAME


def test_of_a_whole_location_invenios_own_objects_are_left_out(memory, location, put, begin):
    upload = begin(content=b"uploaded")
    complete_upload(upload)
    under_way = "ab/cd/0123-4567-4567-89ab-0123456789ab/data-0123456789abcdef"
    put(under_way, prefix="")
    put("forms/x", prefix="")
    put("ab/else", prefix="")
    counts = sync_scope("default")
    assert (counts.added, counts.known) == (1, 3)
    assert list(heads(counts.bucket)) == ["ab/else"]
    assert ObjectVersion.get(upload.bucket_id, "a").file.uri == upload.uri
    assert synced("default", delete=True) == {"known": 3, "unchanged": 1}


@pytest.mark.parametrize("path", ["out", "out/x"])
def test_so_are_those_of_a_location_that_was_made_in_a_scope(location, put, path):
    create_scope(NewScope("user:out", "default", prefix="out"))
    other = Location(name="other", uri=f"memory://rules/{path}")
    db.session.add(other)
    db.session.commit()
    own = f"{path}/ab/cd/0123-4567-4567-89ab-0123456789ab/data-0123456789abcdef"
    try:
        for key in (own, f"{path}/forms/x", f"{path}/ab/else"):
            put(key, prefix="")
        counts = sync_scope("user:out")
        assert (counts.added, counts.known) == (1, 2)
        assert list(heads(counts.bucket)) == [f"{path}/ab/else".removeprefix("out/")]
    finally:
        db.session.delete(other)
        db.session.commit()


@pytest.mark.parametrize("name", ["user:other", "nowhere", "nowhere:prefix", "", "a\x00b"])
def test_what_is_no_scope_and_no_location_is_refused(location, name):
    with pytest.raises(ScopeNotFound):
        sync_scope(name)


LONG = "x" * 250
UNFIT = {
    "folder/": "it is a folder",
    "": "it is a folder",
    "slash/": "its name ends in a slash",
    "tab\t": "it has control characters",
    "line\n": "it has control characters",
    "/root": "it cannot be a part of an address",
    "..": "it cannot be a part of an address",
    "bytes\ufffd": "its name is not UTF-8",
    LONG: "its URI has 275 characters, 255 are possible",
}


def test_keys_that_no_file_can_have_are_reported_and_skipped(target, put):
    for key in UNFIT:
        put(key, b"" if UNFIT[key] == "it is a folder" else b"content")
    put("fit")
    told = []
    counts = sync_scope(NAME, report=told.append)
    assert {change.key: change.reason for change in told if change.kind == "skipped"} == UNFIT
    assert (counts.added, counts.skipped) == (1, len(UNFIT))


@pytest.mark.parametrize("etag", ["", " ", "a:b", "a" * 251])
def test_an_etag_that_no_checksum_can_hold_is_a_reason_too(memory, target, put, monkeypatch, etag):
    put("a")
    sync_scope(NAME)
    listed = [replace(found, etag=etag) for found in memory.list_objects(f"{PREFIX}/")]
    monkeypatch.setattr(type(memory), "list_objects", lambda *args: iter(listed))
    # It is there, so it is not gone either.
    assert synced(delete=True) == {"skipped": 1}
    assert heads(target.id) == {"a": 7}


def test_names_of_all_kinds_are_kept_in_the_order_of_their_bytes(target, put, monkeypatch):
    monkeypatch.setattr(sync_module, "PAGE", 3)
    names = [
        "a",
        "B",
        "a b",
        "a+b",
        "a%20b",
        "ä",
        "z",
        "č ř",
        "\uffee",
        "😀",
        "A/b",
        "A-b",
        "a.b",
        "_",
    ]
    for name in names:
        put(name)
    assert synced() == {"added": len(names)}
    assert synced(delete=True) == {"unchanged": len(names)}
    assert set(heads(target.id)) == set(names)


ON_POSTGRES = pytest.mark.parametrize(
    "place", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@ON_POSTGRES
def test_the_order_is_that_of_bytes_where_the_database_has_another_one(target, put):
    collate = 'ALTER TABLE files_object ALTER COLUMN key TYPE text COLLATE "{}"'
    db.session.execute(sa.text(collate.format("en-x-icu")))
    db.session.commit()
    try:
        for name in ("a", "B", "c", "D", "ä", "a b", "a-b", "a/b"):
            put(name)
        assert synced() == {"added": 8}
        assert synced(delete=True) == {"unchanged": 8}
    finally:
        db.session.rollback()
        db.session.execute(sa.text(collate.format("default")))
        db.session.commit()


@pytest.mark.parametrize("page", [500, 1])
def test_a_store_with_another_order_is_not_believed(memory, target, put, monkeypatch, page):
    monkeypatch.setattr(sync_module, "PAGE", page)
    put("a")
    put("b")
    sync_scope(NAME)
    listed = list(memory.list_objects(f"{PREFIX}/"))
    monkeypatch.setattr(type(memory), "list_objects", lambda *args: iter(listed[::-1]))
    with pytest.raises(StoreFault):
        sync_scope(NAME, delete=True)
    assert heads(target.id) == {"a": 7, "b": 7}
    assert ObjectVersion.get(target, "a").file.readable


def test_versions_that_were_uploaded_through_invenio_are_left_alone(target, put, begin):
    put("both", b"outside")
    sync_scope(NAME)
    for key in ("own", "both"):
        complete_upload(begin(key, content=b"upload", bucket_id=target.id))
    before = size(target.id)
    assert synced(delete=True) == {"known": 1}
    assert heads(target.id) == {"own": 6, "both": 6}
    put("both", b"changed outside")
    assert synced(delete=True) == {"changed": 1}
    assert heads(target.id) == {"own": 6, "both": 15}
    assert size(target.id) == before + 15 == sum_of_versions(target.id)


def test_an_upload_under_way_is_not_covered(target, put):
    stream = MultipartUpload("a", "", None, 10)
    pending = ObjectVersion.create(target, "a", stream=stream, size=10)
    db.session.commit()
    put("a")
    assert synced() == {"known": 1}
    assert ObjectVersion.query.filter_by(version_id=pending.version_id).one().is_head


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
    assert size(target.id) == sum_of_versions(target.id) == 8
    assert synced() == {"unchanged": 1}


def test_a_scope_that_was_forgotten_fills_another_bucket_with_the_same_files(target, bucket, put):
    put("a")
    sync_scope(NAME)
    remove_scope(NAME)
    create_scope(NewScope(NAME, "default", bucket_id=bucket.id))
    assert synced() == {"added": 1}
    assert ObjectVersion.get(bucket, "a").file == ObjectVersion.get(target, "a").file
    assert (size(bucket.id), size(target.id)) == (7, 7)


def test_sizes_are_those_of_files_rest_whatever_is_done_to_the_versions(memory, target, put):
    for key in "abc":
        put(key, b"12345")
    sync_scope(NAME)
    put("a", b"123")
    sync_scope(NAME)
    assert size(target.id) == 18
    ObjectVersion.get(target, "b").remove()
    ObjectVersion.delete(target, "c")
    db.session.commit()
    assert size(target.id) == 8
    for version in ObjectVersion.get_versions(target, "a").all():
        version.remove()
    db.session.commit()
    assert size(target.id) == 0


def test_a_quota_does_not_stop_what_is_there_already_but_later_uploads(target, put, begin):
    target.quota_size = 10
    db.session.commit()
    put("a", b"x" * 20)
    assert synced() == {"added": 1}
    assert size(target.id) == 20
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


def test_a_store_that_does_not_list_is_named(target, monkeypatch):
    monkeypatch.setattr(UploadContext, "store", lambda context, uri: object())
    with pytest.raises(StoreMisconfigured):
        sync_scope(NAME)


def test_what_a_sync_had_written_before_it_stopped_stands_and_the_next_goes_on(
    memory, target, put, monkeypatch
):
    monkeypatch.setattr(sync_module, "PAGE", 2)
    for key in "abcde":
        put(key)
    write, pages = external.write, []

    def dies(*args):
        if pages:
            raise KeyboardInterrupt
        pages.append(args)
        return write(*args)

    monkeypatch.setattr(sync_module, "write", dies)
    with pytest.raises(KeyboardInterrupt):
        sync_scope(NAME)
    assert list(heads(target.id)) == ["a", "b"]
    assert size(target.id) == 14
    monkeypatch.setattr(sync_module, "write", write)
    assert synced() == {"added": 3, "unchanged": 2}


def test_an_older_list_does_not_undo_what_another_sync_has_written(
    memory, target, put, monkeypatch
):
    put("a", b"old")
    put("b", b"b")
    sync_scope(NAME)
    put("a", b"listed first")
    listed = list(memory.list_objects(f"{PREFIX}/"))
    original = type(memory).list_objects

    def overtaken(store, prefix):
        monkeypatch.setattr(type(memory), "list_objects", original)
        put("a", b"listed later")
        memory.delete(f"{PREFIX}/b")
        put("c", b"c")
        sync_scope(NAME, delete=True)
        yield from listed

    monkeypatch.setattr(type(memory), "list_objects", overtaken)
    assert synced(delete=True) == {"known": 1, "unchanged": 1}
    assert heads(target.id) == {"a": 12, "b": None, "c": 1}


@ON_POSTGRES
def test_two_syncs_at_once_make_no_doubles(app, memory, target, put, monkeypatch):
    monkeypatch.setattr(sync_module, "PAGE", 10)
    for number in range(100):
        put(f"{number:03}", b"1234")
    bucket_id, barrier, results = target.id, Barrier(3), []
    db.session.commit()

    def run():
        with app.app_context():
            barrier.wait()
            results.append(sync_scope(NAME))
            db.session.remove()

    threads = [Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(counts.added for counts in results) == 100
    assert sum(counts.unchanged + counts.known for counts in results) == 200
    assert ObjectVersion.query.count() == FileInstance.query.count() == 100
    assert size(bucket_id) == 400


def test_the_task_goes_on_after_a_scope_that_fails(memory, scope, put, caplog):
    put("a")
    put("b", prefix="x/")
    create_scope(NewScope("user:x", "default", "x"))
    memory.fail("list_objects", StoreUnavailable(reason="away"))
    with caplog.at_level(logging.INFO):
        totals = sync_scopes()
    assert totals["failed"] == [NAME]
    assert (totals["scopes"], totals["added"]) == (1, 1)
    actions = {record.action for record in caplog.records if hasattr(record, "action")}
    assert {"sync_failed", "sync_done"} <= actions
    done = next(record for record in caplog.records if record.action == "sync_done")
    assert (done.scope, done.added) == ("user:x", 1)
    assert sync_scopes() == {**totals, "scopes": 2, "unchanged": 1, "failed": []}
    assert sync_scopes(NAME)["scopes"] == 1
    with pytest.raises(ScopeNotFound):
        sync_scopes("user:none")


def test_the_task_goes_on_after_whatever_is_raised(scope, put, monkeypatch):
    put("b", prefix="x/")
    create_scope(NewScope("user:x", "default", "x"))
    monkeypatch.setattr(external, "lock_bucket", lambda bucket_id: 1 / 0)
    assert sync_scopes()["failed"] == ["user:x"]


def test_the_bucket_of_a_scope_holds_uploads_as_well(target, begin, memory):
    upload = begin("a", size=3, bucket_id=target.id)
    send(memory, upload, b"abc")
    assert complete_upload(upload).state == "completed"
