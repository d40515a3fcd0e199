# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Companion's routes as Uppy calls them, from the first part to the last."""

from __future__ import annotations

import os

from invenio_files_rest.models import Bucket

from ..people import http
from .uppy import PART


def test_a_file_goes_up_as_uppy_sends_it(uppy, uploader, bucket):
    content = os.urandom(PART + 3)

    created = uppy.create("some file.bin", len(content))

    assert created == {
        "key": "some file.bin",
        "uploadId": created["uploadId"],
        "bucket": str(bucket.id),
    }
    parts = uppy.send(created, content)
    assert uppy.list(created).get_json() == [
        {"PartNumber": 1, "ETag": parts[0]["ETag"], "Size": PART},
        {"PartNumber": 2, "ETag": parts[1]["ETag"], "Size": 3},
    ]
    done = uppy.complete(created, parts)
    assert (done.status_code, set(done.get_json())) == (200, {"location", "key", "bucket"})
    assert done.get_json()["location"].endswith(f"/files/{bucket.id}/some%20file.bin")
    redirect = uploader.get(done.get_json()["location"])
    assert http.request("GET", redirect.headers["Location"]).data == content
    assert Bucket.get(bucket.id).size == len(content)
