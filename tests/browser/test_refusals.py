# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What cannot be uploaded is said on the page, with what to do, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket

from ..people import UPLOADER
from .uploader import PART, Uploader

pytestmark = pytest.mark.browser


@pytest.fixture
def file(made):
    """A file of two parts."""
    return made(PART + 1)


def set_quota(bucket_id, size):
    """Set the room in a bucket; no transaction stays open."""
    Bucket.get(bucket_id).quota_size = size
    db.session.commit()
    db.session.remove()


def test_a_full_bucket_is_said_with_numbers(uploader, visitor, file, bucket_id):
    set_quota(bucket_id, PART)

    uploader.upload(file)

    said = uploader.wait_for_problem()
    assert file.name in said
    assert "not enough room" in said
    assert f"{PART + 1}" in said
    assert visitor.uploads() == []


def test_without_the_right_it_is_said_whom_to_ask(sign_in, bucket_id, file):
    reader = sign_in(bucket_id, "bucket-read")
    uploader = Uploader.opened(reader, bucket=bucket_id)

    uploader.upload(file)

    assert "Ask the owner for access" in uploader.wait_for_problem()
    assert reader.uploads() == []


def test_a_store_that_does_not_let_the_page_in_is_said_with_its_rule(sign_in, bucket_id, file):
    """The same page at another name, which no rule allows."""
    visitor = sign_in(bucket_id, *UPLOADER, host="localhost")
    uploader = Uploader.opened(visitor, bucket=bucket_id, part_size=PART)

    uploader.upload(file)

    said = uploader.wait_for_problem()
    assert "CORS" in said
    assert visitor.address in said


def test_a_store_that_hides_the_etag_is_said(uploader, file, gate):
    def hide(own):
        return replace(own, headers={**own.headers, "Access-Control-Expose-Headers": "Date"})

    gate.answer_parts(hide)

    uploader.upload(file)

    assert "expose ETag" in uploader.wait_for_problem()


def test_what_failed_is_tried_again_and_goes_on(uploader, visitor, file, bucket_id):
    set_quota(bucket_id, PART)
    uploader.upload(file)
    uploader.wait_for_problem()
    set_quota(bucket_id, 2 * PART)

    uploader.press("Try again")

    uploader.wait_for_results(1)
    assert uploader.problems.count() == 0
    assert [each["state"] for each in visitor.uploads()] == ["completed"]


def test_who_is_logged_out_meanwhile_is_told_so(uploader, visitor, file, gate):
    with gate.held() as hold:
        uploader.upload(file)
        hold.wait(1)
        visitor.context.clear_cookies(name="session")

    assert "Log in" in uploader.wait_for_problem()
