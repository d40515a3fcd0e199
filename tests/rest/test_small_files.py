# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a small file costs, counted by the store: one request of the client, by either way."""

from __future__ import annotations

import os
import re
import time
import uuid

import pytest

from oarepo_s3.tasks import recover_interrupted_multipart_uploads as recover

from ..conftest import REAL
from ..people import http, put

CONTENTS = [os.urandom(1000), b""]
BEGIN = "server POST ?uploads"
END = [
    "server GET ?uploadId",
    "server POST ?uploadId",
    "server HEAD",
]

pytestmark = pytest.mark.usefixtures("_no_older_uploads")


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """Ceph, which writes down each request."""
    return request.param


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A store that is known to take forms."""
    app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


@pytest.fixture
def arrived(ceph, store):
    """Return what has arrived at the store since the test began, without keys and ids."""
    log = ceph.directory / "log" / "radosgw.log"
    start = log.stat().st_size

    def read():
        last = f"/the-end-{uuid.uuid4()}"
        http.request("GET", f"{store.endpoint_url}{last}")
        for _ in range(200):
            text = log.read_text()[start:]
            if last in text:
                return [found for found in map(_request, text.splitlines()) if found][:-1]
            time.sleep(0.05)
        raise AssertionError("the store does not write down what it is asked")

    return read


def _request(line):
    found = re.search(r'beast: .*? "(\w+) ([^ ]+) HTTP/1.1" \d+ \d+ - "([^"]*)"', line)
    if not found:
        return None
    method, address, agent = found.groups()
    parameters = re.findall(r"[?&](uploads|uploadId|partNumber)\b", address)
    who = "server" if "Boto3" in agent else "client"
    return f"{who} {method} {'?' if parameters else ''}{'&'.join(sorted(parameters))}".strip()


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_a_file_of_one_part_is_one_put(uploader, bucket, arrived, content):
    upload = uploader.begin(bucket, "small", len(content))
    assert len(upload["urls"]) == 1
    put(upload["urls"][0]["url"], content)
    assert uploader.complete(upload).status_code == 200
    assert arrived() == [BEGIN, "client PUT ?partNumber&uploadId", *END]


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_the_url_of_a_small_file_dies_with_the_completion(uploader, bucket, content):
    upload = uploader.begin(bucket, "small", len(content))
    put(upload["urls"][0]["url"], content)
    uploader.complete(upload)
    assert http.request("PUT", upload["urls"][0]["url"], body=b"another").status == 404
    redirect = uploader.download(bucket, "small")
    assert http.request("GET", redirect.headers["Location"]).data == content


@pytest.mark.parametrize("content", CONTENTS, ids=len)
def test_a_file_by_a_form_is_one_post(uppy, arrived, content):
    form = uppy.params("small", len(content)).get_json()
    assert uppy.post(form, content).status == 201
    assert recover()["completed"] == 1
    look, copy = "server HEAD", "server PUT ?partNumber&uploadId"
    take_over = [look, END[0], look, copy]
    assert arrived() == [BEGIN, "client POST", *take_over, *END, "server DELETE"]
