# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A file in one form: who completes it, and that nothing of it is left behind."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.backends import Form
from oarepo_s3.core.errors import (
    BucketNotFound,
    FormNotPossible,
    MissingParts,
    StorePartsRejected,
    StoreUnavailable,
    UploadExpired,
    UploadLost,
    UploadNotPending,
)
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import (
    NewUpload,
    abort_upload,
    complete_upload,
    create_upload,
    open_form,
    sweep_expired,
)
from oarepo_s3.services.forms import SLOWEST_FORM
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from .conftest import PART
from .outcomes import size_of

NOTHING = {"completed": 0, "aborted": 0, "lost": 0, "failed": 0}
CONTENT = b"a small file"

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


@pytest.fixture
def pending(memory, bucket):
    """Open an upload of one part."""

    def begin(content=CONTENT, key="a"):
        return create_upload(
            NewUpload(bucket_id=bucket.id, key=key, size=len(content), num_parts=1)
        )

    return begin


@pytest.fixture
def sent(memory, pending):
    """Open an upload whose file was sent by a form."""

    def send(content=CONTENT, key="a"):
        upload = pending(content, key)
        memory.post_form(open_form(upload), content)
        return upload

    return send


def form_key(upload):
    return StoredUpload.of(upload).form_key


def is_published(memory, upload, content):
    stored = StoredUpload.of(upload)
    return upload.state == "completed" and memory.read(stored.key) == content


def age(**values):
    db.session.execute(db.update(Upload).values(**values))
    db.session.commit()


@pytest.mark.parametrize("content", [CONTENT, b"", b"x" * (PART + 1)], ids=len)
def test_a_file_that_came_by_a_form_is_completed_as_any_other(memory, bucket, sent, content):
    upload = sent(content)
    complete_upload(upload)
    assert is_published(memory, upload, content)
    assert size_of(bucket) == len(content)
    assert memory.head(form_key(upload)) is None
    assert memory.head(StoredUpload.of(upload).key).metadata == {
        "oarepo-upload-token": upload.token
    }


def test_a_form_never_writes_to_the_final_place(memory, bucket, sent):
    upload = sent()
    key = form_key(upload)
    assert key != StoredUpload.of(upload).key
    assert key == f"forms/{upload.id}"
    assert memory.head(StoredUpload.of(upload).key) is None


def test_before_the_file_has_come_its_part_is_missing(pending):
    upload = pending()
    open_form(upload)
    with pytest.raises(MissingParts):
        complete_upload(upload)
    assert upload.state == "pending"


def test_a_part_that_was_sent_comes_before_what_a_form_has_sent(memory, sent):
    upload = sent()
    memory.put_part(f"memory://{upload.store_upload_id}#1", b"by its part!")
    complete_upload(upload)
    assert is_published(memory, upload, b"by its part!")
    assert memory.head(form_key(upload)) is None


def test_the_recovery_completes_what_came_and_waits_for_the_rest(memory, pending, sent):
    waiting, come = pending(key="w"), sent(key="c")
    form = open_form(waiting)
    assert recover() == {**NOTHING, "completed": 1}
    assert (waiting.state, come.state) == ("pending", "completed")
    memory.post_form(form, CONTENT)
    age(rests_until=None)
    assert recover() == {**NOTHING, "completed": 1}
    assert is_published(memory, waiting, CONTENT)


def test_the_longer_nothing_comes_the_rarer_the_store_is_asked(memory, pending):
    upload = pending()
    open_form(upload)
    age(created_at=utcnow() - timedelta(hours=10))
    recover()
    db.session.refresh(upload)
    assert timedelta(minutes=59) < upload.rests_until - utcnow() <= timedelta(minutes=60)
    memory.calls.clear()
    assert recover() == NOTHING
    assert memory.calls == []


def test_one_whose_look_failed_is_looked_for_by_the_next_recovery(memory, pending):
    upload = pending()
    open_form(upload)
    age(created_at=utcnow() - timedelta(hours=10))
    memory.fail("head", StoreUnavailable(reason="down"))
    assert recover() == {**NOTHING, "failed": 1}
    db.session.refresh(upload)
    assert upload.rests_until is None


def test_an_upload_without_a_form_is_not_looked_for(memory, pending):
    pending()
    memory.calls.clear()
    assert recover() == NOTHING
    assert memory.calls == []


def test_one_that_cannot_be_completed_does_not_stop_the_others(memory, sent):
    sent(key="a"), sent(key="b")
    memory.fail("copy_part", StoreUnavailable(reason="down"))
    assert recover() == {**NOTHING, "completed": 1, "failed": 1}
    assert recover() == {**NOTHING, "completed": 1}


def test_a_file_that_came_in_time_is_completed_after_it(sent):
    upload = sent()
    age(expires_at=utcnow() - timedelta(seconds=1))
    assert recover() == {**NOTHING, "completed": 1}
    assert upload.state == "completed"


def test_of_two_callers_the_second_finds_what_the_first_made(memory, sent, monkeypatch):
    upload = sent()

    def other_caller_first(stored):
        monkeypatch.undo()
        complete_upload(db.session.get(Upload, upload.id))
        return stored.form_has_come()

    monkeypatch.setattr(StoredUpload, "form_has_come", other_caller_first)
    assert complete_upload(upload).state == "completed"
    assert memory.calls.count("copy_part") == 1


def test_what_is_gone_when_it_is_to_be_copied_is_missing(memory, sent, monkeypatch):
    upload = sent()
    memory.delete(form_key(upload))
    monkeypatch.setattr(StoredUpload, "form_has_come", lambda stored: True)
    with pytest.raises(MissingParts):
        complete_upload(upload)


def test_an_object_of_another_size_is_not_taken(memory, pending):
    """A store that does not keep to the policy: rclone makes an empty part of any copy."""
    upload = pending()
    form = open_form(upload)
    short = Form(form.url, {**form.fields, "size": "1"}, form.expires_in)
    memory.post_form(short, b"x")
    memory.calls.clear()
    with pytest.raises(MissingParts):
        complete_upload(upload)
    assert "copy_part" not in memory.calls


@pytest.mark.parametrize("end", ["abort", "expiry"])
def test_an_upload_that_ends_otherwise_leaves_nothing(memory, bucket, sent, end):
    upload = sent()
    if end == "abort":
        abort_upload(upload)
    else:
        age(expires_at=utcnow() - timedelta(seconds=1))
        sweep_expired()
    assert (upload.state, size_of(bucket)) == ("aborted", 0)
    assert memory.head(form_key(upload)) is None


def test_an_abort_whose_form_the_store_does_not_remove_is_repeated(memory, sent):
    upload = sent()
    memory.fail("delete", StoreUnavailable(reason="down"))
    with pytest.raises(StoreUnavailable):
        abort_upload(upload)
    assert upload.state == "aborting"
    assert abort_upload(upload).state == "aborted"
    assert memory.head(form_key(upload)) is None


def test_a_form_that_the_store_does_not_remove_stops_no_completion(memory, sent, caplog):
    upload = sent()
    memory.fail("delete", StoreUnavailable(reason="down"))
    complete_upload(upload)
    assert is_published(memory, upload, CONTENT)
    assert [record.action for record in caplog.records] == ["form_left"]
    assert memory.head(form_key(upload)) is not None


@pytest.mark.parametrize("end", [complete_upload, abort_upload])
def test_what_a_form_sends_after_the_end_harms_nothing_and_is_swept(memory, pending, end):
    upload = pending()
    form = open_form(upload)
    memory.post_form(form, CONTENT)
    end(upload)
    memory.post_form(form, b"another file")
    assert upload.state == "aborted" or is_published(memory, upload, CONTENT)

    key = form_key(upload)
    age(form_until=utcnow() - SLOWEST_FORM + timedelta(minutes=1))
    sweep_expired()
    assert memory.head(key) is not None

    age(form_until=utcnow() - SLOWEST_FORM)
    memory.fail("delete", StoreUnavailable(reason="down"))
    assert sweep_expired().failed == 1
    assert memory.head(key) is not None
    assert sweep_expired().failed == 0
    assert memory.head(key) is None
    db.session.refresh(upload)
    assert (upload.form_uri, upload.form_until) == (None, None)
    memory.calls.clear()
    sweep_expired()
    assert memory.calls == []


def test_what_has_come_for_an_open_upload_is_not_swept(memory, sent):
    upload = sent()
    age(form_until=utcnow() - SLOWEST_FORM)
    sweep_expired()
    assert memory.head(form_key(upload)) is not None
    assert recover() == {**NOTHING, "completed": 1}


def test_a_form_takes_the_declared_size_and_no_other(memory, pending):
    form = open_form(pending())
    with pytest.raises(StorePartsRejected):
        memory.post_form(form, CONTENT + b"x")


def test_a_form_expires_with_its_upload(app, pending):
    upload = pending()
    whole = open_form(upload).expires_in
    assert whole == timedelta(seconds=app.config["OAREPO_S3_PART_URL_LIFETIME"])
    age(form_until=None, expires_at=utcnow() + timedelta(minutes=5))
    db.session.refresh(upload)
    assert open_form(upload).expires_in <= timedelta(minutes=5)
    assert upload.form_until <= upload.expires_at


def test_a_form_shows_no_fields(pending):
    form = open_form(pending())
    assert form.fields["key"] not in repr(form)


def several_parts(begin, pending):
    return begin(size=PART + 1)


def ended(begin, pending):
    return abort_upload(pending())


def expired(begin, pending):
    upload = pending()
    age(expires_at=utcnow() - timedelta(seconds=1))
    db.session.refresh(upload)
    return upload


def never_opened(begin, pending):
    upload = pending()
    age(store_upload_id=None)
    db.session.refresh(upload)
    return upload


def without_bucket(begin, pending):
    upload = pending()
    age(bucket_id=upload.id)
    db.session.refresh(upload)
    return upload


def strange_location(begin, pending):
    upload = pending()
    bucket = db.session.get(Bucket, upload.bucket_id)
    bucket.location = Location(name=f"x{uuid.uuid4().hex[:8]}", uri="memory://rules/a%20b")
    db.session.commit()
    return upload


REFUSED = {
    strange_location: FormNotPossible,
    several_parts: FormNotPossible,
    ended: UploadNotPending,
    expired: UploadExpired,
    never_opened: UploadLost,
    without_bucket: BucketNotFound,
}


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.__name__)
def test_no_form_is_given_for_what_it_could_not_send(begin, pending, case):
    upload = case(begin, pending)
    with pytest.raises(REFUSED[case]):
        open_form(upload)
    db.session.refresh(upload)
    assert upload.form_until is None


def test_a_store_that_takes_no_forms_gives_none(pending, monkeypatch):
    upload = pending()
    profile = StoredUpload.of(upload).store.profile
    monkeypatch.setattr(
        type(StoredUpload.of(upload).store), "profile", type(profile)("other"), raising=True
    )
    with pytest.raises(FormNotPossible, match="shouldUseMultipart"):
        open_form(upload)
