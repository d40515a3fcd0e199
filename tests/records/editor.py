# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A stock client of transfer "M": what it sends, and what it reads of the answers."""

from __future__ import annotations

from urllib.parse import quote

from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.core.planning import MIB
from oarepo_s3.models import Upload

from ..people import http

PART = 5 * MIB


class Editor:
    """Somebody who sends files to a record."""

    def __init__(self, person, record, store):
        self.person = person
        self.store = store
        self.before = set(store.open_uploads())
        self.record_id = record["id"]
        self.bucket_id = record.bucket_id

    def at(self, rest=""):
        """Return an address below the record's files."""
        return f"/test-records/{self.record_id}/files{rest}"

    def of(self, key, rest=""):
        """Return an address below one of the files."""
        return self.at(f"/{quote(key)}{rest}")

    def ask(self, *files):
        """Begin to send files; each is what the client says of it."""
        return self.person.post(self.at(), json=list(files))

    def begin(self, key, size, **more):
        """Begin to send a file that has to be accepted, and return its entry."""
        answer = self.ask(transfer(key, size, **more))
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return entry(answer, key)

    def send(self, begun, content, only=None):
        """Send the parts of a file to the store."""
        part_size = begun["transfer"]["part_size"]
        for link in begun["links"]["parts"]:
            if only is None or link["part"] in only:
                start = (link["part"] - 1) * part_size
                answer = http.request("PUT", link["url"], body=content[start : start + part_size])
                assert answer.status == 200, answer.data

    def commit(self, key):
        """Commit a file."""
        return self.person.post(self.of(key, "/commit"))

    def upload(self, key, content, **more):
        """Send a whole file that has to succeed, and return its entry."""
        self.send(self.begin(key, len(content), **more), content)
        answer = self.commit(key)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def read(self, key, query=""):
        """Ask for a file's entry."""
        return self.person.get(self.of(key) + query)

    def list(self, query=""):
        """Ask for all entries."""
        return self.person.get(self.at() + query)

    def content(self, key):
        """Download a file by the redirect to the store."""
        answer = self.person.get(self.of(key, "/content"))
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return http.request("GET", answer.headers["Location"]).data

    def delete(self, key):
        """Remove a file."""
        return self.person.delete(self.of(key))

    def uploads(self):
        """Return the rows of the uploads to the record's bucket, oldest first."""
        db.session.rollback()
        found = Upload.query.filter_by(bucket_id=self.bucket_id)
        return found.order_by(Upload.created_at).all()

    def at_store(self):
        """Return the ids of the multipart uploads that the store has since this one came."""
        return set(self.store.open_uploads()) - self.before

    def bucket_size(self):
        """Return the bytes that the record's bucket says it holds."""
        db.session.rollback()
        return db.session.get(Bucket, self.bucket_id).size


def transfer(key, size, parts=None, part_size=PART, **more):
    """Return what a stock client says of a file that it wants to send in parts."""
    if parts is None:
        parts = max(1, -(-size // part_size))
    sizes = {} if part_size is None else {"part_size": part_size}
    return {"key": key, "size": size, "transfer": {"type": "M", "parts": parts, **sizes}, **more}


def entry(answer, key):
    """Return the entry of a file in a list of files."""
    return next(e for e in answer.get_json()["entries"] if e["key"] == key)
