# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How a process dies, and what has to be true in the end."""

from __future__ import annotations

import json
import os
import subprocess

from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion

from oarepo_s3.models import Upload
from oarepo_s3.services.stored import StoredUpload

from ..people import http
from .child import DIED

CONTENT = os.urandom(1000)


class Mortal:
    """Does things in a process of its own, which dies."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def die(self, line: str, action: str, **order: object) -> None:
        """Begin an action and die at a line of it."""
        db.session.commit()
        order = {"action": action, "die": line, **order}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        status = int(self._process.stdout.readline())
        assert status == DIED, f"it ended with {status}, and not where it was told to"
        db.session.expire_all()


def age(**values):
    """Let time pass for all uploads."""
    db.session.execute(db.update(Upload).values(**values))
    db.session.commit()


def at_store(store, upload):
    """Open multipart uploads and objects in the place of an upload."""
    key = StoredUpload.of(upload).key
    objects = store.client().list_objects_v2(Bucket=store.bucket, Prefix=key).get("Contents", [])
    return len(store.open_uploads(key)), len(objects)


def is_gone(store, bucket, upload):
    """Whether nothing is left of an upload but its row."""
    return (
        upload.state == "aborted"
        and at_store(store, upload) == (0, 0)
        and db.session.get(Bucket, bucket.id, populate_existing=True).size == 0
        and FileInstance.get(upload.file_id) is None
    )


def is_there(store, bucket, upload):
    """Whether the file can be read, once, and counts once."""
    version = ObjectVersion.get(bucket.id, "a")
    return (
        upload.state == "completed"
        and at_store(store, upload) == (0, 1)
        and db.session.get(Bucket, bucket.id, populate_existing=True).size == len(CONTENT)
        and http.request("GET", version.send_file().headers["Location"]).data == CONTENT
    )
