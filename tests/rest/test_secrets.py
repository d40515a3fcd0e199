# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""With every logger at DEBUG, no log line has a secret, a signature, a token or a presigned URL."""

from __future__ import annotations

import logging
import re
import traceback
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from invenio_db import db
from invenio_files_rest.models import ObjectVersion
from sqlalchemy.exc import DataError

from oarepo_s3.api import MultipartUpload
from oarepo_s3.backends import StoreConfig
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreError
from oarepo_s3.core.times import utcnow
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.models import Upload
from oarepo_s3.proxies import current_s3
from oarepo_s3.services import get_upload, sign_parts
from oarepo_s3.services.stored import StoredUpload
from oarepo_s3.tasks import cleanup_expired_multipart_uploads, recover_interrupted_multipart_uploads

from ..conftest import REAL
from ..people import UPLOADER, http, new_person, send_parts
from ..services import free_port

CONTENT = b"some bytes"
SESSION_TOKEN = "FwoGZXIvYXdzSESSION/TOKEN+of=a//role"
WRONG_SECRET = "wrong-secret-wrong-secret"

SIGNATURE = re.compile(r"signature['\"]?\s*[=:]\s*(?!\*\*\*)b?['\"]?[\w%+/]{20,}", re.IGNORECASE)
"""Any signature, also those that the server sends itself."""

STANDARD = set(vars(logging.makeLogRecord({})))


class Recorder(logging.Handler):
    """Keeps all that is logged, as text: message, traceback, and what structured logs add."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, str]] = []
        self.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        more = {name: value for name, value in vars(record).items() if name not in STANDARD}
        self.lines.append((record.name, f"{self.format(record)} {record.args!r} {more!r}"))

    def leaks(self, secrets: set[str]) -> dict[str, str]:
        """Return an example of what each logger shows."""
        found = {}
        for name, text in self.lines:
            shown = [secret for secret in secrets if secret in text]
            if shown or SIGNATURE.search(text):
                found[name] = f"{shown}: {text}"
        return found


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph."""
    return request.param


@pytest.fixture
def log(app) -> Iterator[Recorder]:
    """Everything that is logged, with every logger at DEBUG."""
    recorder = Recorder()
    loggers = [logging.getLogger(), *map(logging.getLogger, logging.root.manager.loggerDict)]
    before = [(logger, logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
        logger.propagate, logger.disabled = True, False
    logging.getLogger().addHandler(recorder)
    yield recorder
    logging.getLogger().removeHandler(recorder)
    for logger, level, propagate, disabled in before:
        logger.setLevel(level)
        logger.propagate, logger.disabled = propagate, disabled


def signature_of(url):
    """Return what makes a presigned URL work."""
    return parse_qs(urlsplit(url).query)["X-Amz-Signature"][0]


def test_the_recorder_sees_what_is_not_masked(log, uploader, bucket):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    url = upload["urls"][0]["url"]
    logging.getLogger("anybody").debug("see %s", url)
    assert set(log.leaks({signature_of(url)})) == {"anybody"}


def test_the_way_of_a_file(log, uploader, bucket, store):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    urls = [item["url"] for item in upload["urls"]]
    answer = uploader.get(upload["links"]["urls"] + "?parts=1").get_json()
    urls += [item["url"] for item in answer["urls"]]
    send_parts(upload, CONTENT)
    uploader.get(upload["links"]["parts"])
    assert uploader.complete(upload).status_code == 200
    urls.append(uploader.download(bucket, "a").headers["Location"])
    assert http.request("GET", urls[-1]).data == CONTENT
    other = uploader.begin(bucket, "b", len(CONTENT))
    urls += [item["url"] for item in other["urls"]]
    assert uploader.delete(other["links"]["abort"]).status_code == 204
    urls += session_of_the_python_flow(bucket)
    # invenio-s3's own way to the bytes, by s3fs
    with ObjectVersion.get(bucket.id, "a").file.storage().open(mode="rb") as stream:
        assert stream.read() == CONTENT

    names = {name for name, _ in log.lines}
    assert names >= {"botocore.endpoint", "botocore.parsers"}
    assert names >= {"urllib3.connectionpool", "sqlalchemy.engine.Engine", "s3fs"}
    assert log.leaks({store.secret_key, *map(signature_of, urls)}) == {}


def session_of_the_python_flow(bucket):
    """Assign an upload, write its session out, and return its URLs."""
    wanted = MultipartUpload("c", size=len(CONTENT))
    ObjectVersion.create(bucket, "c", stream=wanted)
    db.session.commit()
    written = wanted.session.to_dict()
    logging.getLogger("application").info("opened %r %r", wanted, wanted.session)
    return [*wanted.session.part_urls, *written["part_urls"]]


def test_the_tokens_of_uploads_in_requests_and_answers(log, uploader, bucket):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    token = get_upload(upload["id"]).token
    send_parts(upload, CONTENT)
    uploader.complete(upload)
    assert any(name == "sqlalchemy.engine.Engine" and "Row" in text for name, text in log.lines)
    assert log.leaks({str(token)}) == {}


def test_the_token_of_an_upload_in_an_error_of_the_database(database, bucket):
    now = utcnow()
    db.session.add(Upload(state="x" * 17, token="the-token", created_at=now, expires_at=now))
    with pytest.raises(DataError) as error:
        db.session.flush()
    db.session.rollback()
    assert "INSERT INTO oarepo_s3_upload" in str(error.value)
    assert "the-token" not in str(error.value)


def test_the_tasks(log, app, uploader, bucket, store):
    upload = uploader.begin(bucket, "a", len(CONTENT))
    db.session.execute(db.update(Upload).values(expires_at=db.func.now()))
    db.session.commit()
    counts = cleanup_expired_multipart_uploads.delay().result
    recover_interrupted_multipart_uploads.delay()
    assert counts["aborted"] >= 1
    assert any(name.startswith("celery") for name, _ in log.lines)
    assert log.leaks({store.secret_key, signature_of(upload["urls"][0]["url"])}) == {}


@pytest.mark.parametrize("fault", ["wrong keys", "temporary keys", "down"])
def test_a_store_that_fails(log, store, fault):
    keys = Credentials(store.access_key, WRONG_SECRET)
    if fault == "temporary keys":
        keys = Credentials(store.access_key, WRONG_SECRET, SESSION_TOKEN)
    address = f"http://127.0.0.1:{free_port()}" if fault == "down" else store.endpoint_url
    options = {"s3": {"addressing_style": "path"}, "retries": {"total_max_attempts": 1}}
    failing = S3Store(
        store.bucket, StoreConfig(address, None, "us-east-1", keys, None, None, options)
    )
    for call in (
        lambda: failing.create_upload("k", content_type=None, metadata={}),
        lambda: failing.list_parts("k", "u"),
        lambda: failing.head("k"),
    ):
        with pytest.raises(StoreError) as error:
            call()
        logging.getLogger("application").error("no", exc_info=error.value)
    assert len(log.lines) > 10
    assert log.leaks({WRONG_SECRET, SESSION_TOKEN, SESSION_TOKEN.replace("/", "%2F")}) == {}


def test_an_unexpected_exception_in_a_view(log, app, bucket, monkeypatch):
    # Nobody who is compared with the OpenAPI document: a mistake is not in it.
    uploader = new_person(app).grant(bucket, *UPLOADER)
    upload = uploader.begin(bucket, "a", len(CONTENT))
    seen = []

    def fail(signed):
        seen.extend(signed)
        raise RuntimeError("a mistake")

    monkeypatch.setattr("oarepo_s3.views.uploads.dump_urls", fail)
    monkeypatch.setitem(app.config, "PROPAGATE_EXCEPTIONS", False)
    assert uploader.get(upload["links"]["urls"] + "?parts=1").status_code == 500
    assert any("a mistake" in text for _, text in log.lines)
    assert log.leaks({signature_of(url.url) for url in seen}) == {}


def test_no_repr_shows_a_secret(uploader, bucket, store):
    upload = get_upload(uploader.begin(bucket, "a", len(CONTENT))["id"])
    wanted = MultipartUpload("c", size=len(CONTENT))
    ObjectVersion.create(bucket, "c", stream=wanted)
    stored = StoredUpload.of(upload)
    signed = sign_parts(upload, [1])[0]
    keys = Credentials(store.access_key, store.secret_key, SESSION_TOKEN)
    secrets = {signature_of(signed.url), upload.token, store.secret_key, SESSION_TOKEN}
    things = {
        "row": [upload, upload.token],
        "stored": stored,
        "url": signed,
        "signer": stored.signer(upload.expires_at - upload.created_at),
        "store": stored.store,
        "config": replace(current_s3.store_config(ObjectURI("s3", "b", "")), credentials=keys),
        "keys": keys,
        "wanted": wanted,
        "session": wanted.session,
        "urls": wanted.session.part_urls,
        "context": current_s3,
    }
    secrets |= {signature_of(url) for url in wanted.session.part_urls}
    for name, thing in things.items():
        shown = f"{thing!r} {thing} {[thing]!r}"
        assert [secret for secret in secrets if secret in shown] == [], name


def test_a_traceback_with_the_values_of_variables(uploader, bucket, store):
    """As error trackers make them: what is in a variable is shown by its repr."""
    upload = get_upload(uploader.begin(bucket, "a", len(CONTENT))["id"])
    urls = sign_parts(upload, [1])
    stored = StoredUpload.of(upload)
    try:
        raise RuntimeError("a mistake")
    except RuntimeError as error:
        shown = "".join(
            traceback.TracebackException.from_exception(error, capture_locals=True).format()
        )
    assert f"stored = {stored!r}" in shown
    assert signature_of(urls[0].url) not in shown
    assert upload.token not in shown
