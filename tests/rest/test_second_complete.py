# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The store is asked to complete an upload twice, by callers that do not know of each other."""

from __future__ import annotations

import os

import pytest
from botocore.exceptions import ClientError

from ..conftest import REAL
from ..people import key_of, send_parts
from .outcomes import check_the_one_result, complete_in_the_end

PART = 5 * 2**20
CONTENT = os.urandom(PART + 1)

pytestmark = pytest.mark.parametrize("place", [REAL], indirect=True)


@pytest.fixture
def upload(uploader, bucket):
    """An upload of two parts that are at the store."""
    return uploader.begin(bucket, "a", len(CONTENT), part_size=PART)


class Direct:
    """Somebody who completes at the store itself: a worker that then dies, say."""

    def __init__(self, store, upload):
        self._client = store.client(retries={"total_max_attempts": 1})
        self._names = {"Bucket": store.bucket, "Key": key_of(upload["urls"][0]["url"])}
        found = self._client.list_multipart_uploads(Bucket=store.bucket, Prefix=self._names["Key"])
        self._names["UploadId"] = found["Uploads"][0]["UploadId"]

    def complete(self, parts):
        """Complete with these parts; return the status."""
        try:
            self._client.complete_multipart_upload(**self._names, MultipartUpload={"Parts": parts})
        except ClientError as error:
            return error.response["ResponseMetadata"]["HTTPStatusCode"]
        return 200


def test_ceph_fails_a_second_list_and_the_first_one_counts(uploader, bucket, store, upload):
    parts = send_parts(upload, CONTENT)
    direct = Direct(store, upload)
    assert direct.complete(parts) == 200
    assert direct.complete(parts[:1]) == 500
    assert len(complete_in_the_end(uploader, upload)) == 1
    assert direct.complete(parts[:1]) == 500
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


def test_a_list_that_leaves_out_a_part_makes_nothing(uploader, bucket, store, upload):
    parts = send_parts(upload, CONTENT)
    assert Direct(store, upload).complete(parts[:1]) == 400
    assert len(complete_in_the_end(uploader, upload)) == 1
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


def test_another_list_of_the_client_after_the_end_changes_nothing(uploader, bucket, store, upload):
    parts = send_parts(upload, CONTENT)
    assert Direct(store, upload).complete(parts) == 200
    first = uploader.complete(upload, json={"parts": parts})
    other = uploader.complete(upload, json={"parts": parts[:1]})
    assert (first.status_code, other.status_code) == (200, 200)
    assert other.get_json() == first.get_json()
    check_the_one_result(uploader, bucket, upload, store, CONTENT)
