# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The application with the store in memory, on each database."""

from __future__ import annotations

import uuid

import pytest
from invenio_db import db

from oarepo_s3.backends.memory import MemoryStore, forget
from oarepo_s3.models import Upload
from oarepo_s3.services import NewUpload, create_upload, sign_parts

PART = 5 * 2**20
ROLE = "arn:aws:iam:::role/uploader"


@pytest.fixture(
    scope="module",
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)],
)
def place(request) -> str:
    """The database alone: these tests need no server for objects."""
    return request.param


@pytest.fixture(scope="module")
def store(place) -> None:
    """No S3 settings; the place is named so that pytest sees that the tests depend on it."""


@pytest.fixture(scope="module")
def location_uri() -> str:
    """A bucket in memory."""
    return "memory://rules"


@pytest.fixture
def memory(location) -> MemoryStore:
    """The store, empty, and to be told to fail."""
    forget()
    return MemoryStore("rules")


@pytest.fixture
def _role(app):
    """Keys can be made."""
    app.config["OAREPO_S3_UPLOAD_ROLE"] = ROLE
    yield
    app.config["OAREPO_S3_UPLOAD_ROLE"] = None


@pytest.fixture
def begin(memory, bucket):
    """Open an upload by the service; parts are sent only when content is given."""

    def begin(key="a", size=2 * PART + 1, *, content=None, bucket_id=None, **more):
        if content is not None:
            size = len(content)
        upload = create_upload(
            NewUpload(bucket_id=bucket_id or bucket.id, key=key, size=size, part_size=PART, **more)
        )
        if content is not None:
            send(memory, upload, content)
        return upload

    return begin


def send(memory, upload, content, parts=None):
    """Send parts as a client does."""
    for part in parts or range(1, upload.num_parts + 1):
        start = (part - 1) * upload.part_size
        url = sign_parts(upload, [part])[0].url
        memory.put_part(url, content[start : start + upload.part_size])


def limit(bucket, **limits):
    """Change a bucket as its administrator does."""
    for name, value in limits.items():
        setattr(bucket, name, value)
    db.session.commit()


def age(**values):
    """Let time pass, or something happen, for all uploads: change their columns."""
    db.session.execute(db.update(Upload).values(**values))
    db.session.commit()


@pytest.fixture
def nobody() -> uuid.UUID:
    """An id that nothing has."""
    return uuid.uuid4()
