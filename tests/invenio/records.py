# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Record routes, and uploads below them, for the tests of ``multipart_actions``."""

from __future__ import annotations

from types import SimpleNamespace

from invenio_db import db
from invenio_files_rest.models import Bucket
from invenio_records_files.api import FilesIterator
from werkzeug.routing import BaseConverter

from oarepo_s3.api import MultipartUpload
from oarepo_s3.views import multipart_actions

from .test_records import Record
from .test_storage import PART


class RecordConverter(BaseConverter):
    """Resolves an address to a record, as invenio-pidstore's lazy resolver does."""

    def to_python(self, value):
        bucket = Bucket.get(value) if value != "none" else None
        record = Record()
        record.files = FilesIterator(record, bucket=bucket) if bucket else None
        return SimpleNamespace(data=(value, record))

    def to_url(self, value):
        return str(value)


def mount(app):
    """Register the record routes by hand; a record's id is that of its bucket."""
    app._got_first_request = False
    app.url_map.converters["testrecord"] = RecordConverter
    for rule, view in multipart_actions("recid", None, None, None, is_draft=True).items():
        app.add_url_rule(f"/records/<testrecord:pid_value>/{rule}", view_func=view)
    return app


def begin(bucket, person, content, key="data.bin"):
    """Assign an upload to the record's files."""
    upload = MultipartUpload(
        key, bucket.location.uri, 3600, len(content), part_size=PART, user_id=person.user_id
    )
    FilesIterator(Record(), bucket=bucket)[key] = upload
    db.session.commit()
    return upload.session
