# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the database and the store say of an upload's end."""

from __future__ import annotations

from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.services.stored import StoredUpload


def size_of(bucket):
    """The size of a bucket as it is in the database now."""
    db.session.expire_all()
    return db.session.get(Bucket, bucket.id).size


def is_published(memory, upload, content):
    """Whether the upload is completed, with this content at its final place."""
    stored = StoredUpload.of(upload)
    return upload.state == "completed" and memory.read(stored.key) == content
