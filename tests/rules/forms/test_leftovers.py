# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Nothing of what a form has sent is left behind."""

from __future__ import annotations

from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.core.times import utcnow
from oarepo_s3.services import abort_upload, complete_upload, open_form, sweep_expired
from oarepo_s3.services.forms import SLOWEST_FORM
from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import age
from ..outcomes import is_published, size_of
from .conftest import CONTENT, NOTHING, form_key

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


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
