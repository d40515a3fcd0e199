# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An upload ends with its file, in whatever way that is removed, and gives its room back."""

from __future__ import annotations

import os
from datetime import timedelta

import pytest
import sqlalchemy as sa
from invenio_access.permissions import system_identity
from invenio_db import db
from invenio_db.uow import UnitOfWork
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion
from invenio_records_resources.records.systemfields.files.manager import FilesManager

from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import recover_interrupted, sweep_expired
from oarepo_s3.services.stored import StoredUpload

from .editor import PART
from .stack import Record


def record_of(editor):
    return Record.pid.resolve(editor.record_id, registered_only=False)


def states(editor):
    return [upload.state for upload in editor.uploads()]


def by_delete(editor, service):
    assert editor.delete("a.bin").status_code == 204


def by_delete_all(editor, service):
    assert editor.person.delete(editor.at()).status_code == 204


def by_the_service(editor, service):
    service.delete_all_files(system_identity, editor.record_id)


def by_the_record(editor, service):
    record = record_of(editor)
    record.files.delete_all(softdelete_obj=False, remove_rf=True)
    record.commit()
    db.session.commit()


def by_teardown(editor, service):
    record = record_of(editor)
    record.files.teardown()
    record.commit()
    db.session.commit()


WAYS = [by_delete, by_delete_all, by_the_service, by_the_record, by_teardown]


@pytest.mark.parametrize("remove", WAYS)
def test_an_upload_ends_with_its_file(editor, file_service, remove):
    editor.send(editor.begin("a.bin", 2 * PART), os.urandom(2 * PART), only=(1,))
    assert len(editor.at_store()) == 1

    remove(editor, file_service)

    assert states(editor) == ["aborted"]
    assert editor.at_store() == set()
    assert FileInstance.query.filter_by(id=editor.uploads()[0].file_id).count() == 0
    if remove is by_teardown:
        assert db.session.get(Bucket, editor.bucket_id) is None
    else:
        assert editor.bucket_size() == 0
        assert ObjectVersion.get(editor.bucket_id, "a.bin") is None


@pytest.mark.parametrize("remove", [by_delete, by_delete_all])
def test_its_key_can_be_used_again(editor, file_service, remove):
    content = os.urandom(PART)
    editor.begin("a.bin", 2 * PART)
    remove(editor, file_service)
    if remove is by_delete_all:
        # records-resources only marks the entries as deleted, and keeps their keys.
        editor.upload("b.bin", content)
        assert editor.bucket_size() == PART
        return
    editor.upload("a.bin", content)
    assert editor.content("a.bin") == content
    assert editor.bucket_size() == PART


def test_other_files_of_the_record_go_on(editor):
    content = os.urandom(PART)
    editor.begin("a.bin", PART)
    begun = editor.begin("b.bin", PART)
    editor.delete("a.bin")
    assert states(editor) == ["aborted", "pending"]
    assert editor.bucket_size() == PART
    editor.send(begun, content)
    assert editor.commit("b.bin").status_code == 200


@pytest.mark.parametrize("remove", [by_the_record, by_teardown])
def test_a_removal_that_is_rolled_back_ends_nothing(editor, monkeypatch, remove, file_service):
    begun = editor.begin("a.bin", PART)
    monkeypatch.setattr(db.session, "commit", db.session.rollback)
    remove(editor, file_service)
    monkeypatch.undo()
    assert states(editor) == ["pending"]
    editor.send(begun, os.urandom(PART))
    assert editor.commit("a.bin").status_code == 200


def test_a_removal_that_is_rolled_back_to_a_savepoint_ends_nothing(editor):
    editor.begin("a.bin", PART)
    savepoint = db.session.begin_nested()
    record_of(editor).files.delete("a.bin", softdelete_obj=False, remove_rf=True)
    savepoint.rollback()
    db.session.commit()
    assert states(editor) == ["pending"]


def test_only_what_is_committed_for_good_is_looked_for(editor, monkeypatch):
    def remove():
        record_of(editor).files.delete("a.bin", softdelete_obj=False, remove_rf=True)

    looked = []
    editor.begin("a.bin", PART)
    monkeypatch.setattr("oarepo_s3.services.removed.abort_removed", lambda: looked.append(1))
    with db.session.begin_nested():
        remove()
    db.session.rollback()
    assert looked == []
    remove()
    db.session.commit()
    assert looked == [1]
    db.session.execute(sa.delete(ObjectVersion).where(ObjectVersion.key == "no such"))
    db.session.rollback()
    assert looked == [1]


def test_a_file_is_removed_though_the_store_is_away_and_the_rest_follows(editor, monkeypatch):
    def away(self):
        raise StoreUnavailable(reason="no answer")

    editor.begin("a.bin", PART)
    monkeypatch.setattr(StoredUpload, "clear", away)
    assert editor.delete("a.bin").status_code == 204
    monkeypatch.undo()
    assert states(editor) == ["aborting"]
    assert len(editor.at_store()) == 1

    an_hour_ago = utcnow() - timedelta(hours=1)
    Upload.query.filter_by(bucket_id=editor.bucket_id).update({"updated_at": an_hour_ago})
    db.session.commit()
    recover_interrupted()
    assert states(editor) == ["aborted"]
    assert editor.at_store() == set()
    assert editor.bucket_size() == 0


def test_the_sweep_ends_what_a_process_that_died_has_left(editor, monkeypatch):
    editor.begin("a.bin", PART)
    monkeypatch.setattr("oarepo_s3.services.removed.abort_removed", lambda: 0)
    assert editor.delete("a.bin").status_code == 204
    monkeypatch.undo()
    assert states(editor) == ["pending"]
    sweep_expired()
    assert states(editor) == ["aborted"]
    assert editor.at_store() == set()
    assert editor.bucket_size() == 0


def expire(editor):
    past = utcnow() - timedelta(seconds=1)
    Upload.query.filter_by(bucket_id=editor.bucket_id).update({"expires_at": past})
    db.session.commit()


def test_an_abandoned_upload_is_swept_and_its_file_says_so(editor):
    editor.begin("a.bin", PART)
    expire(editor)
    sweep_expired()
    assert states(editor) == ["aborted"]
    assert editor.at_store() == set()
    assert editor.bucket_size() == 0
    left = editor.read("a.bin").get_json()
    assert (left["status"], left["size"]) == ("failed", PART)
    assert set(left["links"]) == {"self", "commit"}
    assert editor.list().get_json()["entries"][0]["status"] == "failed"
    answer = editor.commit("a.bin")
    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_not_pending")
    assert editor.person.get(editor.of("a.bin", "/content")).status_code == 400


def test_what_was_swept_can_be_removed_and_sent_again(editor):
    content = os.urandom(PART)
    editor.begin("a.bin", PART)
    expire(editor)
    sweep_expired()
    assert editor.delete("a.bin").status_code == 204
    editor.upload("a.bin", content)
    assert editor.content("a.bin") == content
    assert editor.bucket_size() == PART


def test_a_commit_that_died_after_the_store_had_done_its_part_is_repeated(editor, monkeypatch):
    class Died(BaseException):
        """A process that ends."""

    def die(self, key):
        raise Died

    content = os.urandom(PART)
    editor.send(editor.begin("a.bin", PART), content)
    monkeypatch.setattr(FilesManager, "commit", die)
    with pytest.raises(Died):
        editor.commit("a.bin")
    monkeypatch.undo()
    assert states(editor) == ["completed"]
    assert editor.read("a.bin").get_json()["status"] == "pending"

    assert editor.commit("a.bin").status_code == 200
    assert editor.commit("a.bin").status_code == 200
    assert editor.read("a.bin").get_json()["status"] == "completed"
    assert editor.content("a.bin") == content
    assert editor.bucket_size() == PART


def test_files_that_are_just_being_removed_can_be_shown(editor, file_service):
    editor.begin("a.bin", PART)
    with UnitOfWork(db.session) as uow:
        removed = file_service.delete_all_files(system_identity, editor.record_id, uow=uow)
        (shown,) = removed.to_dict()["entries"]
        uow.commit()
    assert (shown["key"], len(shown["links"]["parts"])) == ("a.bin", 1)
    assert states(editor) == ["aborted"]


@pytest.mark.parametrize("remove", [by_delete, by_teardown])
def test_the_sweep_has_nothing_to_do_with_a_file_that_was_sent_and_then_removed(
    editor, file_service, remove
):
    editor.upload("a.bin", os.urandom(PART))
    remove(editor, file_service)
    sweep_expired()
    (upload,) = editor.uploads()
    assert (upload.state, upload.rests_until) == ("completed", None)


def test_a_commit_that_removes_a_file_leaves_no_transaction_open(editor, file_service):
    editor.upload("a.bin", os.urandom(PART))
    by_the_record(editor, file_service)
    assert not db.session().in_transaction()


def test_a_database_that_fails_while_it_looks_does_not_undo_the_removal(
    editor, file_service, monkeypatch
):
    def broken():
        db.session.execute(sa.text("SELECT * FROM no_such_table"))

    editor.begin("a.bin", PART)
    monkeypatch.setattr("oarepo_s3.services.removed.abort_removed", broken)
    by_the_record(editor, file_service)
    assert not db.session().in_transaction()
    assert editor.list().get_json()["entries"] == []
    assert states(editor) == ["pending"]  # for the sweep
