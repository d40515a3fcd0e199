# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Signals: before the store is asked, and after the commit."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket
from invenio_files_rest.signals import file_uploaded

from oarepo_s3 import signals
from oarepo_s3.core.errors import (
    ChecksumMismatch,
    MissingParts,
    StoreUploadGone,
    UploadLost,
    UploadNotPending,
)
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import abort_upload, complete_upload, get_upload, sweep_expired
from oarepo_s3.services.stored import StoredUpload


def committed_state(upload_id):
    """What another connection sees."""
    with db.engine.connect() as other:
        return other.scalar(db.select(Upload.state).where(Upload.id == upload_id))


@contextmanager
def listening(memory):
    """Collect (signal, committed state, whether the store was asked already)."""
    heard = []

    def listen(name):
        def receiver(sender, upload, **kwargs):
            asked = {"complete_upload", "abort_upload"} & set(memory.calls)
            heard.append((name, committed_state(upload.id), bool(asked)))

        return receiver

    names = [
        f"{when}_upload_{what}" for what in ("complete", "abort") for when in ("before", "after")
    ]
    names.append("after_upload_fail")
    receivers = [(getattr(signals, name), listen(name)) for name in names]
    for signal, receiver in receivers:
        signal.connect(receiver)
    yield heard
    for signal, receiver in receivers:
        signal.disconnect(receiver)


def test_complete_sends_before_and_after_the_commit_once(begin, memory):
    upload = begin(content=b"abc")
    with listening(memory) as heard:
        complete_upload(upload)
        complete_upload(upload)
    assert heard == [
        ("before_upload_complete", "pending", False),
        ("after_upload_complete", "completed", True),
    ]


def test_abort_sends_before_and_after_the_commit_once(begin, memory):
    upload = begin(content=b"abc")
    with listening(memory) as heard:
        abort_upload(upload)
        abort_upload(upload)
    assert heard == [
        ("before_upload_abort", "pending", False),
        ("after_upload_abort", "aborted", True),
    ]


def test_the_sweep_sends_the_signals_of_an_abort(begin, memory):
    upload = begin(content=b"abc")
    upload.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    with listening(memory) as heard:
        sweep_expired()
    assert [name for name, *_ in heard] == ["before_upload_abort", "after_upload_abort"]


def test_an_upload_that_the_store_has_lost_sends_that_it_failed_once(begin, memory):
    upload = begin(content=b"abc")
    memory.fail("list_parts", StoreUploadGone(reason="NoSuchUpload"))
    with listening(memory) as heard:
        with pytest.raises(UploadLost):
            complete_upload(upload)
        with pytest.raises(UploadNotPending):
            complete_upload(upload)
    assert heard == [("after_upload_fail", "failed", False)]


def test_content_that_is_refused_sends_that_the_upload_failed(begin, memory, monkeypatch):
    upload = begin(content=b"abc")
    monkeypatch.setattr(StoredUpload, "checksum_status", lambda self, info: "mismatch")
    with listening(memory) as heard, pytest.raises(ChecksumMismatch):
        complete_upload(upload)
    assert heard == [
        ("before_upload_complete", "pending", False),
        ("after_upload_fail", "failed", True),
    ]


def test_a_refused_completion_sends_nothing(begin, memory):
    upload = begin(size=3)
    with listening(memory) as heard, pytest.raises(MissingParts):
        complete_upload(upload)
    assert heard == []


def test_a_receiver_that_raises_before_stops_the_completion(begin, memory):
    upload = begin(content=b"abc")

    def refuse(sender, upload):
        raise RuntimeError("not today")

    with signals.before_upload_complete.connected_to(refuse), pytest.raises(RuntimeError):
        complete_upload(upload)
    assert "complete_upload" not in memory.calls
    assert get_upload(upload.id).state == "pending"


def test_files_rest_learns_of_the_new_file(begin, app):
    upload = begin(content=b"abc")
    heard = []

    def receiver(sender, obj):
        heard.append((sender, obj.version_id))

    with file_uploaded.connected_to(receiver):
        complete_upload(upload)
    assert heard == [(app, upload.version_id)]


def test_a_receiver_that_raises_after_the_commit_stops_nobody(begin, bucket, caplog):
    upload = begin(content=b"abc")
    heard = []

    def fail(sender, **kwargs):
        # Half of something, which nobody is to commit later.
        db.session.get(Bucket, bucket.id).size = -1
        db.session.flush()
        raise RuntimeError("no broker")

    def hear(sender, **kwargs):
        heard.append(kwargs.popitem()[0])

    with ExitStack() as stack:
        for signal in (signals.after_upload_complete, file_uploaded):
            for receiver in (fail, hear):
                stack.enter_context(signal.connected_to(receiver))
        assert complete_upload(upload).state == "completed"
    assert heard == ["upload", "obj"]
    assert caplog.text.count("RuntimeError: no broker") == 2
    db.session.commit()
    assert committed_state(upload.id) == "completed"
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == 3


def test_a_receiver_that_fails_after_an_abort_stops_nothing(begin, bucket, caplog):
    def fail(sender, upload):
        raise RuntimeError("no broker")

    upload = begin(size=3)
    with signals.after_upload_abort.connected_to(fail):
        assert abort_upload(upload).state == "aborted"
    assert db.session.get(Bucket, bucket.id, populate_existing=True).size == 0
    assert "A receiver of a signal failed after the commit" in caplog.text
