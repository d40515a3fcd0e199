# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""multipart_actions: the same uploads, under the address of a record."""

from __future__ import annotations

import os

import pytest
from invenio_files_rest.models import Bucket

from oarepo_s3.views import (
    MultipartUploadAbortResource,
    MultipartUploadCompleteResource,
    create_blueprint,
    multipart_actions,
)

from ..people import put
from .records import begin, mount
from .test_storage import PART, send


@pytest.fixture(scope="module")
def app(app, place):
    """The application, with record routes registered by hand."""
    return mount(app)


def test_the_rules_and_names_are_those_that_stacks_mount(app):
    rules = multipart_actions("draft", None, None, None, is_draft=False)
    assert list(rules) == [
        "files/<key>/complete-multipart",
        "files/<key>/abort-multipart",
        "files/<key>/<upload_id>/complete",
        "files/<key>/<upload_id>/abort",
        "files/<key>/<upload_id>/parts",
        "files/<key>/<upload_id>/<parts>/presigned",
    ]
    for resource in (MultipartUploadCompleteResource, MultipartUploadAbortResource):
        name = resource.view_name.format(endpoint="draft")
        assert name in {view.__name__ for view in rules.values()}
    assert create_blueprint(app).url_prefix == "/multipart-uploads"


@pytest.mark.parametrize("form", ["complete-multipart", "{id}/complete"])
def test_an_upload_of_a_record_is_completed(uploader, bucket, form):
    content = os.urandom(PART + 1)
    session = begin(bucket, uploader, content)
    send(session, content)
    base = f"/records/{bucket.id}/files/data.bin/"

    answer = uploader.post(base + form.format(id=session.upload_id))

    assert (answer.status_code, answer.get_json()["state"]) == (200, "completed")
    again = uploader.post(base + form.format(id=session.upload_id))
    assert (again.status_code, again.get_json()) == (200, answer.get_json())
    assert uploader.download(bucket, "data.bin").status_code == 302


@pytest.mark.parametrize("form", ["abort-multipart", "{id}/abort"])
def test_an_upload_of_a_record_is_aborted(uploader, bucket, form):
    session = begin(bucket, uploader, b"abc")
    address = f"/records/{bucket.id}/files/data.bin/" + form.format(id=session.upload_id)

    answer = uploader.post(address)

    assert (answer.status_code, answer.get_json()["state"]) == (200, "aborted")
    assert Bucket.get(bucket.id).size == 0
    assert uploader.post(address).status_code == 200
    if "{id}" in form:
        assert uploader.delete(address).status_code == 204


def test_parts_are_listed_and_signed_under_the_record(uploader, bucket):
    content = os.urandom(2 * PART + 1)
    session = begin(bucket, uploader, content)
    base = f"/records/{bucket.id}/files/data.bin/{session.upload_id}"

    signed = uploader.get(f"{base}/1,3/presigned").get_json()["urls"]

    assert [item["part"] for item in signed] == [1, 3]
    put(signed[1]["url"], content[-1:])
    listed = uploader.get(f"{base}/parts").get_json()["parts"]
    assert [(part["part"], part["size"]) for part in listed] == [(3, 1)]


def test_errors_have_the_same_codes_as_in_the_rest_api(uploader, person, bucket):
    session = begin(bucket, uploader, b"abc")
    base = f"/records/{bucket.id}/files"
    answers = {
        "missing_parts": (400, uploader.post(f"{base}/data.bin/complete-multipart")),
        "part_out_of_range": (400, uploader.get(f"{base}/data.bin/{session.id}/0/presigned")),
        "upload_not_found": (404, uploader.post(f"{base}/other/{session.id}/complete")),
        "forbidden": (
            403,
            person().grant(bucket, "bucket-read").post(f"{base}/data.bin/abort-multipart"),
        ),
    }
    for code, (status, answer) in answers.items():
        assert (answer.status_code, answer.get_json()["code"]) == (status, code)


@pytest.mark.parametrize("address", ["none/files/a/complete-multipart", "{b}/files/x/{b}/parts"])
def test_what_is_not_there_is_not_found(uploader, bucket, address):
    address = "/records/" + address.format(b=bucket.id)
    answer = uploader.get(address) if address.endswith("parts") else uploader.post(address)
    assert (answer.status_code, answer.get_json()["code"]) == (404, "upload_not_found")


@pytest.mark.parametrize("rule", ["complete-multipart", "abort-multipart"])
@pytest.mark.parametrize("key", ["a%00b", "%00", "%ED%A0%80", "%FF", "%0D%0A", "%252e%252e"])
def test_a_name_that_no_file_can_have_is_not_found(uploader, bucket, key, rule):
    answer = uploader.post(f"/records/{bucket.id}/files/{key}/{rule}")
    assert (answer.status_code, answer.get_json()["code"]) == (404, "upload_not_found")
