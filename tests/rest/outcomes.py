# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How an upload ends: called until it is done, and looked at from all sides."""

from __future__ import annotations

from typing import Any

from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion

from oarepo_s3.models import Upload

from ..people import http, key_of

PATIENCE = 6
"""How often a client calls; the faults of the tests end before."""

CLEAR = {(503, "store_unavailable"), (502, "store_fault"), (502, "store_misconfigured")}
"""What a client may see before the 200 while its store is in trouble."""


def row_of(upload: dict[str, Any]) -> Upload:
    """Return the row of an upload as it is in the database now."""
    row = db.session.get(Upload, upload["id"], populate_existing=True)
    db.session.commit()
    return row


def change(upload: dict[str, Any], **columns: Any) -> None:
    """Let something have happened to an upload: its row gets these values."""
    db.session.execute(db.update(Upload).where(Upload.id == upload["id"]).values(**columns))
    db.session.commit()


def size_of(bucket: Any) -> int:
    """Return the size of a bucket as it is in the database now."""
    return int(db.session.get(Bucket, bucket.id, populate_existing=True).size)


def complete_in_the_end(person: Any, upload: dict[str, Any]) -> list[Any]:
    """Call as a client does, until the 200; return all answers."""
    answers = []
    for _ in range(PATIENCE):
        answer = person.complete(upload)
        answers.append(answer)
        if answer.status_code == 200:
            return answers
        assert (answer.status_code, answer.get_json()["code"]) in CLEAR, answer.get_json()
        assert ("Retry-After" in answer.headers) == (answer.status_code == 503)
        # Nothing is given up while the object can still be made.
        assert row_of(upload).state in ("pending", "completing")
    raise AssertionError(f"no 200 in {PATIENCE} calls")


def check_the_one_result(
    person: Any, bucket: Any, upload: dict[str, Any], store: Any, content: bytes
) -> None:
    """Hold that there is one file, that it is the right one, and nothing besides."""
    answer, again = person.complete(upload), person.complete(upload)
    assert (answer.status_code, again.status_code) == (200, 200)
    assert answer.get_json() == again.get_json()
    session = answer.get_json()
    assert (session["state"], session["file"]["size"]) == ("completed", len(content))

    versions = ObjectVersion.query.filter_by(bucket_id=bucket.id).all()
    assert [str(version.version_id) for version in versions] == [session["file"]["version_id"]]
    file = FileInstance.query.filter_by(id=versions[0].file_id).one()
    assert (file.readable, file.size) == (True, len(content))
    assert file.checksum == session["file"]["checksum"]
    assert size_of(bucket) == len(content)

    redirect = person.download(bucket, upload["key"])
    assert http.request("GET", redirect.headers["Location"]).data == content

    client, key = store.client(), key_of(upload["urls"][0]["url"])
    assert store.open_uploads(key) == {}
    etag = client.head_object(Bucket=store.bucket, Key=key)["ETag"].strip('"')
    assert file.checksum == f"multipart:{etag}-{upload['part_size']}"
