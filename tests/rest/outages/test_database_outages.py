# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The database goes away before each call, and in the middle of those that ask the store.

"In the middle" is made exact by the store's proxy: the database is cut off when the store has just
done its work, and its answer is on the way.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from invenio_db import db
from sqlalchemy.exc import OperationalError

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload
from oarepo_s3.services import sweep_expired
from oarepo_s3.services.stored import StoredUpload

from ...services import AnswerProxy
from ..outcomes import check_the_one_result, row_of, size_of
from .conftest import CONTENT, behind

GONE = {"refuse": True, "reset_up": 1}

CALLS = {
    "create": lambda person, upload: person.post(
        "/multipart-uploads",
        json={"bucket": upload["bucket"], "key": "new", "size": len(CONTENT)},
    ),
    "urls": lambda person, upload: person.get(upload["links"]["urls"] + "?parts=1"),
    "parts": lambda person, upload: person.get(upload["links"]["parts"]),
    "get": lambda person, upload: person.get(upload["links"]["self"]),
    "list": lambda person, upload: person.get(f"/multipart-uploads?bucket={upload['bucket']}"),
    "complete": lambda person, upload: person.complete(upload),
    "abort": lambda person, upload: person.delete(upload["links"]["abort"]),
}


@pytest.fixture(scope="module")
def proxy(ceph) -> Iterator[AnswerProxy]:
    """What is between everybody and the store."""
    with AnswerProxy(ceph.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def db_uri(db_uri, db_proxy) -> str:
    """A database, behind its proxy."""
    return behind(db_uri, db_proxy)


@pytest.fixture
def upload(upload, db_proxy):
    """An upload with all its parts at the store."""
    yield upload
    db_proxy.reset()


def is_clear(answer):
    """Whether an answer says that it is the database, and to come again."""
    return (
        (answer.status_code, answer.get_json()["code"]) == (503, "database_unavailable")
        and int(answer.headers["Retry-After"]) > 0
        and b"psycopg" not in answer.data
    )


def open_at(store, upload):
    """Return the ids of the multipart uploads that the store holds for a row."""
    return list(store.open_uploads(StoredUpload.of(upload).key))


@pytest.mark.parametrize("call", CALLS)
def test_a_database_that_is_away_before_a_call(uploader, bucket, store, db_proxy, upload, call):
    db_proxy.faults(**GONE)
    answer = CALLS[call](uploader, upload)
    # What the end of a request does; the context of a test, and its session with it, lives on.
    db.session.rollback()
    db_proxy.reset()
    assert is_clear(answer)

    assert Upload.query.filter_by(bucket_id=bucket.id).count() == 1
    assert (row_of(upload).state, size_of(bucket)) == ("pending", len(CONTENT))
    # Nobody has to be restarted: the very next call is answered.
    assert CALLS["complete"](uploader, upload).status_code == 200
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


MOMENTS = {
    "create": {"method": "POST", "query": "uploads"},
    "list of parts": {"method": "GET", "query": "uploadId="},
    "assembly": {"method": "POST", "query": "uploadId="},
    "proof": {"method": "HEAD"},
    "abort": {"method": "DELETE", "query": "uploadId="},
}


@pytest.fixture
def goes_away_at(db_proxy, proxy):
    """Let the database go away when the store has just answered a request."""

    def prepare(moment):
        def cut(own):
            db_proxy.faults(**GONE)
            return own

        proxy.answer(cut, **MOMENTS[moment])

    return prepare


def test_in_the_middle_of_create(uploader, bucket, store, db_proxy, goes_away_at, upload):
    goes_away_at("create")
    answer = CALLS["create"](uploader, upload)
    db_proxy.reset()
    assert is_clear(answer)
    row = Upload.query.filter_by(bucket_id=bucket.id, key="new").one()
    assert (row.state, row.store_upload_id, size_of(bucket)) == ("pending", None, 2 * len(CONTENT))
    assert len(open_at(store, row)) == 1

    # Its room and its upload are held until its time is over, and not longer.
    row.expires_at = utcnow()
    db.session.commit()
    assert sweep_expired().aborted == 1
    assert (row.state, open_at(store, row), size_of(bucket)) == ("aborted", [], len(CONTENT))


@pytest.mark.parametrize("moment", ["list of parts", "assembly", "proof"])
def test_in_the_middle_of_complete(uploader, bucket, store, db_proxy, goes_away_at, upload, moment):
    goes_away_at(moment)
    answer = CALLS["complete"](uploader, upload)
    db_proxy.reset()
    assert is_clear(answer)
    begun = "pending" if moment == "list of parts" else "completing"
    assert row_of(upload).state == begun
    assert uploader.download(bucket, "a").status_code == 404

    assert CALLS["complete"](uploader, upload).status_code == 200
    check_the_one_result(uploader, bucket, upload, store, CONTENT)


@pytest.mark.parametrize("moment", ["abort", "list of parts", "proof"])
def test_in_the_middle_of_abort(uploader, bucket, store, db_proxy, goes_away_at, upload, moment):
    goes_away_at(moment)
    answer = CALLS["abort"](uploader, upload)
    db_proxy.reset()
    assert is_clear(answer)
    assert (row_of(upload).state, size_of(bucket)) == ("aborting", len(CONTENT))

    assert CALLS["abort"](uploader, upload).status_code == 204
    assert (row_of(upload).state, size_of(bucket)) == ("aborted", 0)
    assert open_at(store, row_of(upload)) == []


def test_in_the_middle_of_a_sweep(uploader, bucket, store, db_proxy, goes_away_at, upload):
    """The task fails, loudly; the next one does the work."""
    change = db.update(Upload).where(Upload.bucket_id == bucket.id)
    db.session.execute(change.values(expires_at=utcnow()))
    db.session.commit()
    goes_away_at("abort")
    with pytest.raises(OperationalError):
        sweep_expired()
    db.session.rollback()
    db_proxy.reset()
    assert (row_of(upload).state, size_of(bucket)) == ("expired", len(CONTENT))

    # Whoever fails in this way holds its uploads until its lease has ended.
    db.session.execute(change.values(rests_until=utcnow()))
    db.session.commit()
    assert sweep_expired().aborted == 1
    assert (row_of(upload).state, size_of(bucket)) == ("aborted", 0)
    assert open_at(store, row_of(upload)) == []
