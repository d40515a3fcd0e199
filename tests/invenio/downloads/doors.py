# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The ways to a file that Invenio has, and clients that take them."""

from __future__ import annotations

from urllib.parse import quote
from uuid import uuid4

import pytest
import urllib3
from invenio_db import db

from .file_service import RecordWithFiles

CONTENT = b"0123456789 abcdefgh\n"

client = urllib3.PoolManager(retries=urllib3.Retry(total=3, redirect=3))
"""Follows redirects, as people's clients do."""
plain = urllib3.PoolManager(retries=False)
"""Shows the redirect."""


def files_rest(version):
    """files-rest's own route."""
    return f"/files/{version.bucket_id}/{quote(version.key, safe='')}"


def records_files(version):
    """A view of a file of a record of invenio-records-files."""
    return f"/files-of-a-record/{version.version_id}"


def records_resources(version):
    """The content of a file of a record of invenio-records-resources."""
    record = RecordWithFiles.create({}, pid=str(uuid4()), bucket=version.bucket)
    record.files.create(version.key, obj=version)
    record.commit()
    db.session.commit()
    key = quote(version.key, safe="")
    return f"/downloads-records/{record.pid.pid_value}/files/{key}/content"


DOORS = [files_rest, records_files, records_resources]
doors = pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
