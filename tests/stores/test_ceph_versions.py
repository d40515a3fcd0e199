# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What Ceph RGW does, by its version: what the table in ``docs/reference/stores.md`` says.

Measured with plain requests, not through the back end: this is about the store. The version is
what the gateway says itself. Checksums and temporary keys have files of their own.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import Any

import pytest

from .ceph_traits import OK, Upload, answer

pytestmark = pytest.mark.ceph

BODY = b"a part"


@pytest.fixture
def upload(begin) -> Upload:
    """An upload without a part."""
    return begin()


@pytest.fixture
def sent(upload) -> Upload:
    """An upload with its one part."""
    assert upload.put(upload.sign(), BODY) == OK
    return upload


def object_etag(body: bytes) -> str:
    """Return the ETag of an object of one part."""
    return f"{md5(md5(body).digest()).hexdigest()}-1"


def test_a_part_without_more_headers_is_taken(upload):
    assert upload.put(upload.sign(), BODY) == OK
    assert [part["Size"] for part in upload.parts()] == [len(BODY)]


@pytest.mark.parametrize(
    "header",
    [{"Content_Type": "text/plain"}, {"x_amz_meta_a": "b"}, {"x_amz_checksum_crc32": "AAAAAA=="}],
    ids=lambda header: next(iter(header)),
)
def test_a_header_that_is_not_signed(upload, rgw, header):
    expected = (403, "AccessDenied") if rgw.refuses_unsigned else OK
    assert upload.put(upload.sign(), BODY, **header) == expected
    assert len(upload.parts()) == (0 if rgw.refuses_unsigned else 1)


def test_a_header_that_means_nothing_to_the_store_is_taken(upload):
    assert upload.put(upload.sign(), BODY, X_Other="value") == OK


def test_complete_answers_with_an_etag_or_without_and_head_always_has_it(sent, rgw):
    done = sent.client.complete_multipart_upload(**sent.listed())
    etag = object_etag(BODY)
    assert done["ETag"] == rgw.first_etag.format(etag)
    assert sent.head()["ETag"] == f'"{etag}"'


def test_the_same_complete_again_is_no_error_and_another_one_is_a_fault(sent):
    listed = sent.listed()
    complete = sent.client.complete_multipart_upload
    assert [answer(complete, **listed) for _ in range(2)] == [OK, OK]
    other = {"PartNumber": 1, "ETag": f'"{md5(b"other").hexdigest()}"'}
    mistaken = {**sent.it, "MultipartUpload": {"Parts": [other]}}
    assert answer(complete, **mistaken) == (500, "InternalError")
    assert sent.head()["ETag"] == f'"{object_etag(BODY)}"'


@pytest.mark.parametrize("end", ["completed", "aborted"])
def test_an_upload_that_has_ended_is_gone(sent, end):
    if end == "completed":
        sent.client.complete_multipart_upload(**sent.listed())
    else:
        sent.client.abort_multipart_upload(**sent.it)
    assert answer(sent.client.list_parts, **sent.it) == (404, "NoSuchKey")
    assert answer(sent.client.abort_multipart_upload, **sent.it) == (404, "NoSuchUpload")
    assert sent.put(sent.sign(), BODY) == (404, "NoSuchUpload")


def test_a_complete_on_condition_that_there_is_no_object(begin, rgw):
    statuses = []
    for body in (b"first", b"second"):
        upload = begin()
        assert upload.put(upload.sign(), body) == OK
        complete = upload.client.complete_multipart_upload
        statuses.append(answer(complete, **upload.listed(), IfNoneMatch="*"))
    refused = (412, "PreconditionFailed")
    assert statuses == [OK, refused if rgw.conditional_complete else OK]
    left = b"first" if rgw.conditional_complete else b"second"
    assert upload.head()["ETag"] == f'"{object_etag(left)}"'


def test_a_wrong_size_of_the_object_is_not_noticed(sent):
    complete = sent.client.complete_multipart_upload
    assert answer(complete, **sent.listed(), MpuObjectSize=len(BODY) + 1) == OK
    assert sent.head()["ContentLength"] == len(BODY)


def test_a_part_number_out_of_range_is_taken(upload):
    assert [upload.put(upload.sign(part), BODY) for part in (0, 10_001)] == [OK, OK]


def next_page(asked: dict[str, Any], listed: dict[str, Any]) -> dict[str, Any]:
    """Return what to ask for after a page, or nothing after the last one."""
    if not listed["IsTruncated"]:
        return {}
    return {
        **asked,
        "KeyMarker": listed["NextKeyMarker"],
        "UploadIdMarker": listed["NextUploadIdMarker"],
    }


@pytest.mark.parametrize("page", [1, 2, 1000])
def test_open_uploads_are_listed_by_prefix_in_pages(rgw_client, http, ceph_store, key, page):
    names = [f"{key}/a", f"{key}/a", f"{key}/a/b", f"{key}/b", f"{key}x"]
    opened = [Upload(rgw_client, http, ceph_store.bucket, name).it for name in names]
    found: list[tuple[str, str]] = []
    more = {"Bucket": ceph_store.bucket, "Prefix": f"{key}/", "MaxUploads": page}
    while more:
        listed = rgw_client.list_multipart_uploads(**more)
        assert 0 < len(listed["Uploads"]) <= page
        found += [(item["Key"], item["UploadId"]) for item in listed["Uploads"]]
        # Without this, pages that begin again would never end.
        assert len(set(found)) == len(found)
        more = next_page(more, listed)
    assert sorted(found) == sorted((it["Key"], it["UploadId"]) for it in opened[:-1])


def test_an_open_upload_is_listed_with_the_time_of_its_beginning(upload, ceph_store):
    (listed,) = upload.client.list_multipart_uploads(
        Bucket=ceph_store.bucket, Prefix=upload.at["Key"]
    )["Uploads"]
    age = datetime.now(UTC) - listed["Initiated"]
    assert timedelta(seconds=-5) < age < timedelta(minutes=1)
