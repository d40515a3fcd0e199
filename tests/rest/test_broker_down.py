# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Celery's broker is down: files go up and down all the same."""

from __future__ import annotations

import pytest
from kombu.exceptions import OperationalError

from oarepo_s3.signals import after_upload_complete
from oarepo_s3.tasks import cleanup_expired_multipart_uploads

from ..conftest import REAL
from ..people import send_parts
from ..services import free_port
from .outcomes import check_the_one_result, row_of, size_of

CONTENT = b"some bytes"


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph."""
    return request.param


@pytest.fixture(scope="module")
def app_config(app_config):
    """A broker where nobody listens."""
    url = f"redis://127.0.0.1:{free_port()}/0"
    app_config.update(
        CELERY_TASK_ALWAYS_EAGER=False,
        BROKER_URL=url,
        CELERY_BROKER_URL=url,
        CELERY_RESULT_BACKEND=url,
    )
    return app_config


@pytest.fixture
def sending():
    """A repository that sends a task for each upload that ends well; return how often it failed."""
    failed = []

    def send_a_task(sender, **kwargs):
        try:
            cleanup_expired_multipart_uploads.apply_async(ignore_result=True, retry=False)
        except OperationalError as error:
            failed.append(error)
            raise

    with after_upload_complete.connected_to(send_a_task):
        yield failed


def test_files_go_up_and_down(uploader, bucket, store, sending):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    send_parts(upload, CONTENT)
    assert uploader.get(upload["links"]["parts"]).status_code == 200
    assert uploader.complete(upload).status_code == 200
    # There was no broker indeed.
    assert len(sending) == 1
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


def test_uploads_are_aborted(uploader, bucket, sending):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    assert uploader.delete(upload["links"]["abort"]).status_code == 204
    assert (row_of(upload).state, size_of(bucket)) == ("aborted", 0)
