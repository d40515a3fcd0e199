# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Assignment through the file managers of Invenio's two record stacks."""

from __future__ import annotations

import os

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket
from invenio_records_files.api import FilesIterator
from invenio_records_resources.records.systemfields.files.manager import FilesManager

from oarepo_s3.api import MultipartUpload

from .test_storage import PART, finish, send


class Record(dict):
    """As much of a record as FilesIterator looks at."""

    model = None


def iterator(bucket):
    """Files of an invenio-records-files record."""
    record = Record()
    return FilesIterator(record, bucket=bucket), lambda key: record["_files"]


class FileRecord(dict):
    """As much of a file record as FilesManager looks at."""

    object_version_id = object_version = None

    @classmethod
    def create(cls, data, key, record_id):
        return cls(data)

    @classmethod
    def get_by_key(cls, record_id, key):
        """No record is in the database."""

    def commit(self):
        """Nothing to write."""


class RecordWithFiles:
    """As much of a record as FilesManager looks at."""

    id = None


def manager(bucket):
    """Files of a records-resources record."""
    files = FilesManager(
        RecordWithFiles(),
        file_cls=FileRecord,
        bucket=bucket,
        entries={},
        options={"bucket_attr": "bucket", "bucket_id_attr": "bucket_id"},
    )
    return files, lambda key: files[key].object_version


@pytest.mark.parametrize("stack", [iterator, manager], ids=["records-files", "records-resources"])
def test_an_upload_is_assigned_like_a_stream(bucket, stack):
    files, _ = stack(bucket)
    content = os.urandom(PART + 1)
    upload = MultipartUpload(
        "data.bin",
        base_uri=bucket.location.uri,
        expires=3600,
        size=len(content),
        part_size=PART,
        complete_url="/records/1/files/data.bin/complete-multipart",
    )

    files["data.bin"] = upload
    db.session.commit()

    assert upload.session.num_parts == 2
    assert upload.session.finish_url == "/records/1/files/data.bin/complete-multipart"
    send(upload.session, content)
    finish(upload.session)
    version = getattr(files["data.bin"], "object_version", None) or files["data.bin"].obj
    assert version.file.readable
    assert Bucket.get(bucket.id).size == len(content)


def test_the_record_lists_the_file_while_it_is_uploaded(bucket):
    files, listed = iterator(bucket)
    files["data.bin"] = MultipartUpload("data.bin", bucket.location.uri, 3600, 10)
    db.session.commit()
    assert [(f["key"], f["size"], f["checksum"]) for f in listed("data.bin")] == [
        ("data.bin", 10, None)
    ]
