# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Whatever is answered while an upload is completed, repeating the call ends in the one true file.

A real store does the work, or is not asked; between it and the application stands a proxy that
answers in its place, as gateways and stores were seen to do.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from invenio_db import db
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services.complete import ASSEMBLY_TIME
from oarepo_s3.services.stored import TOKEN_METADATA

from ...people import key_of
from ...services import Answer, AnswerProxy
from ..outcomes import check_the_one_result, complete_in_the_end, row_of, size_of
from .conftest import CONTENT

ATTEMPTS = 2
XML = b'<?xml version="1.0" encoding="UTF-8"?>'
COMPLETE = {"method": "POST", "query": "uploadId="}
LIST = {"method": "GET", "query": "uploadId="}
HEAD = {"method": "HEAD"}


def error_body(code: str) -> bytes:
    """An error as S3 writes it, without the first line."""
    return f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()


def error(status: int, code: str) -> Answer:
    """An answer that is an error."""
    return Answer(status, XML + error_body(code), {"Content-Type": "application/xml"})


def result(etag: str) -> Answer:
    """The answer to "complete" with this in the place of the ETag."""
    name = "CompleteMultipartUploadResult"
    body = f"<{name}><ETag>{etag}</ETag></{name}>".encode()
    return Answer(200, XML + body, {"Content-Type": "application/xml"})


def with_etag(change):
    """Return what changes nothing of an answer but its ETag."""
    return lambda own: replace(own, headers={**own.headers, "ETag": change(own.headers["ETag"])})


PAGE = b"<html><head><title>Sorry</title></head><body><hr>Gateway<br></body></html>"
HTML = {"Content-Type": "text/html"}
HALF = XML + b'<CompleteMultipartUploadResult><ETag>"ab'

TROUBLES = {
    "504 of a gateway": Answer(504, PAGE, HTML),
    "502 of a gateway": Answer(502, PAGE, HTML),
    "503 of a proxy without a body": Answer(503),
    "404 of a proxy": Answer(404, PAGE, HTML),
    "503 SlowDown": error(503, "SlowDown"),
    "500 InternalError": error(500, "InternalError"),
    "500 UnknownError of Ceph": error(500, "UnknownError"),
    "200 with a page": Answer(200, PAGE, HTML),
    "200 that breaks off": Answer(200, HALF, {"Content-Length": "1000"}),
}
ANSWERS = {
    **TROUBLES,
    "404 NoSuchUpload": error(404, "NoSuchUpload"),
    "404 NoSuchKey of Ceph": error(404, "NoSuchKey"),
    "409 OperationAborted": error(409, "OperationAborted"),
    # The space is sent to keep the connection alive while the store is at work.
    "200 with an error": Answer(200, XML + b"\n \n" * 20 + error_body("InternalError")),
    "200 with no body": Answer(200),
    "200 with half of it": Answer(200, HALF),
    "200 with an empty ETag": result(""),
    "200 with an ETag without quotes": result("0123456789abcdef0123456789abcdef-1"),
    "200 with another ETag": result('"0123456789abcdef0123456789abcdef-1"'),
}


@pytest.fixture(scope="module")
def proxy(ceph) -> Iterator[AnswerProxy]:
    """What is between everybody and the store."""
    with AnswerProxy(ceph.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def app_config(app_config, store):
    """One repetition by the SDK is enough to show."""
    app_config.update(OAREPO_S3_MAX_ATTEMPTS=ATTEMPTS)
    return app_config


LONG = pytest.mark.parametrize(
    "times", [1, ATTEMPTS + 1], ids=["once", "longer than one call lasts"]
)


@LONG
@pytest.mark.parametrize("forward", [True, False], ids=["done", "not done"])
@pytest.mark.parametrize("name", ANSWERS)
def test_any_answer_to_complete(uploader, bucket, upload, proxy, store, name, forward, times):
    proxy.answer(ANSWERS[name], times=times, forward=forward, **COMPLETE)
    answers = complete_in_the_end(uploader, upload)
    assert proxy.changed >= 1
    # What was done proves itself, so the first call already says so.
    assert len(answers) == 1 or not forward
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


@LONG
@pytest.mark.parametrize("call", [LIST, HEAD], ids=["list", "head"])
@pytest.mark.parametrize("name", TROUBLES)
def test_trouble_before_or_after(uploader, bucket, upload, proxy, store, call, name, times):
    proxy.answer(TROUBLES[name], times=times, forward=False, **call)
    complete_in_the_end(uploader, upload)
    assert proxy.changed >= 1
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_etag(lambda etag: etag.strip('"')), id="without quotes"),
        pytest.param(with_etag(lambda etag: ""), id="empty"),
    ],
)
def test_an_etag_of_the_object_that_is_odd(uploader, bucket, upload, proxy, store, change):
    proxy.answer(change, **HEAD)
    complete_in_the_end(uploader, upload)
    assert proxy.changed == 1
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


@LONG
def test_parts_refused_after_the_file_was_made(uploader, bucket, upload, proxy, store, times):
    """A store that has assembled the parts does not have them any more."""
    proxy.answer(error(400, "InvalidPart"), times=times, **COMPLETE)
    assert len(complete_in_the_end(uploader, upload)) == 1
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


def put_in_place(store, upload, content, **metadata):
    """Put an object where the upload's own is to be; somebody with the server's keys could."""
    key = key_of(upload["urls"][0]["url"])
    store.client().put_object(Bucket=store.bucket, Key=key, Body=content, Metadata=metadata)
    return key


@pytest.mark.parametrize("age", [None, ASSEMBLY_TIME * 2], ids=["young", "old"])
def test_an_object_of_somebody_else_does_not_end_parts_that_stand(
    uploader, bucket, upload, proxy, store, age
):
    put_in_place(store, upload, CONTENT[::-1])
    proxy.answer(Answer(504, PAGE, HTML), times=2, forward=False, **COMPLETE)
    assert uploader.complete(upload).status_code == 503
    if age:
        change = db.update(Upload).where(Upload.id == upload["id"])
        db.session.execute(change.values(updated_at=utcnow() - age))
        db.session.commit()
    assert len(complete_in_the_end(uploader, upload)) == 2
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


@pytest.mark.parametrize("what", ["no token", "another token", "another size"])
def test_an_object_that_is_not_proved_is_not_published(
    uploader, bucket, upload, proxy, store, what
):
    token = {"no token": None, "another token": "x" * 43}.get(what, row_of(upload).token)
    content = CONTENT + b"!" if what == "another size" else CONTENT
    key = put_in_place(store, upload, content, **({TOKEN_METADATA: token} if token else {}))
    client = store.client()
    (upload_id,) = store.open_uploads(key)
    client.abort_multipart_upload(Bucket=store.bucket, Key=key, UploadId=upload_id)

    answer = uploader.complete(upload)

    assert (answer.status_code, answer.get_json()["code"]) == (409, "upload_lost")
    assert (row_of(upload).state, size_of(bucket)) == ("failed", 0)
    assert ObjectVersion.query.filter_by(bucket_id=bucket.id).count() == 0
    assert uploader.download(bucket, "a").status_code == 404
    # It is not ours to remove.
    assert client.head_object(Bucket=store.bucket, Key=key)["ContentLength"] == len(content)
