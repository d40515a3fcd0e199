# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a bucket has of a scope, in the order in which a store lists its objects.

The rows are read in one statement and put into a file without a name in the temporary directory (50
bytes and the key for each), to be read from there while the store is asked: no transaction may be
open then, and page by page the database would have to sort all of them for each page, since no
index of files-rest has that order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
from typing import NamedTuple, TextIO
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion

from ..core.checksums import ETAG
from .transactions import end_transaction

ROWS = 1000
"""How many rows are fetched from the database at a time."""


class Head(NamedTuple):
    """The newest version of a file of a scope: its key in the bucket, and the object's ETag."""

    key: str
    etag: str


@contextmanager
def heads_of(bucket_id: UUID | None, uri: str) -> Iterator[Iterator[Head]]:
    """Give the newest versions that are objects of a scope, by the UTF-8 bytes of their keys.

    :param bucket_id: None for a bucket that is not there yet.
    :param uri: what the URIs of the objects begin with; it ends in a slash.
    """
    with TemporaryFile("w+", encoding="ascii") as file:
        if bucket_id is not None:
            _write(bucket_id, uri, file)
            end_transaction()
            file.seek(0)
        yield (Head(*json.loads(line)) for line in file)


def _write(bucket_id: UUID, uri: str, file: TextIO) -> None:
    rows = db.session.execute(
        sa.select(ObjectVersion.key, FileInstance.checksum)
        .join(FileInstance, FileInstance.id == ObjectVersion.file_id)
        .where(
            ObjectVersion.bucket_id == bucket_id,
            ObjectVersion.is_head.is_(True),
            FileInstance.uri == sa.literal(uri) + ObjectVersion.key,
            FileInstance.checksum.startswith(ETAG),
        )
        .order_by(_in_bytes(ObjectVersion.key))
        .execution_options(yield_per=ROWS)
    )
    for key, checksum in rows:
        file.write(json.dumps([key, checksum.removeprefix(ETAG)]) + "\n")


def _in_bytes(column: sa.ColumnElement[str]) -> sa.ColumnElement[str]:
    """Order a column by its UTF-8 bytes, whatever order the database has for text."""
    is_sqlite = db.session.get_bind().dialect.name == "sqlite"
    return sa.collate(column, "BINARY" if is_sqlite else "C")
