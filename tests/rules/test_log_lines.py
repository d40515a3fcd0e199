# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An upload's life in the log: one line for each step, once, and not before it is committed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.core.errors import StoreDenied, UploadLost
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import abort_upload, complete_upload, sweep_expired
from oarepo_s3.services.stored import StoredUpload

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


class Journal(logging.Handler):
    """Keeps the lines, and what another connection saw of the upload at that moment."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []
        self.fields: dict[str, logging.LogRecord] = {}

    def emit(self, record: logging.LogRecord) -> None:
        if not hasattr(record, "upload"):
            return
        with db.engine.connect() as other:
            state = other.scalar(db.select(Upload.state).where(Upload.id == record.upload))
        self.lines.append((record.action, state))
        self.fields[record.action] = record


@pytest.fixture
def journal() -> Iterator[Journal]:
    """The log of the services."""
    handler, logger = Journal(), logging.getLogger("oarepo_s3.services")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield handler
    logger.setLevel(level)
    logger.removeHandler(handler)


def test_one_that_is_completed_twice_has_two_lines(begin, bucket, journal):
    upload = begin(content=b"abc", user_id=7)
    complete_upload(upload)
    complete_upload(upload)
    assert journal.lines == [("upload_created", "pending"), ("upload_completed", "completed")]
    for line in journal.fields.values():
        assert (line.upload, line.bucket) == (str(upload.id), str(bucket.id))
        assert (line.user, line.size) == (7, 3)
        assert str(upload.id) in line.getMessage()


def test_one_that_is_aborted_twice(begin, journal):
    upload = begin()
    abort_upload(upload)
    abort_upload(upload)
    assert journal.lines == [("upload_created", "pending"), ("upload_aborted", "aborted")]


def test_one_that_expires(begin, journal):
    upload = begin()
    upload.expires_at = utcnow() - timedelta(seconds=1)
    db.session.commit()
    sweep_expired()
    sweep_expired()
    assert journal.lines[1:] == [("upload_expired", "expired"), ("upload_aborted", "aborted")]


def test_one_that_the_store_has_lost(begin, memory, journal):
    upload = begin(content=b"abc")
    stored = StoredUpload.of(upload)
    memory.abort_upload(stored.key, stored.upload_id)
    with pytest.raises(UploadLost):
        complete_upload(upload)
    assert journal.lines[1:] == [("upload_failed", "failed")]
    assert journal.fields["upload_failed"].code == "upload_lost"


def test_one_that_the_store_does_not_open(begin, memory, journal):
    memory.fail("create_upload", StoreDenied(reason="no"))
    with pytest.raises(StoreDenied):
        begin()
    assert journal.lines == [("upload_not_opened", "failed")]
    assert journal.fields["upload_not_opened"].code == "store_denied"
