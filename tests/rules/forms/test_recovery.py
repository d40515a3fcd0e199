# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A file in one form that its sender does not complete."""

from __future__ import annotations

from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.core.times import utcnow
from oarepo_s3.services import open_form
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import age
from ..outcomes import is_published
from .conftest import CONTENT, NOTHING

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


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
