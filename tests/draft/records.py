# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A class of records, who may do what to their files, and the settings of their endpoint."""

from __future__ import annotations

import uuid
from types import SimpleNamespace
from typing import Any

from flask import g
from flask_login import current_user
from invenio_db import db
from invenio_files_rest.models import ObjectVersion
from invenio_pidstore.models import PersistentIdentifier, PIDStatus
from invenio_records_files.api import Record
from invenio_records_rest.utils import allow_all

from oarepo_s3.models import Upload

from ..people import put

HERE = __name__
asked: list[tuple[str, Any]] = []
"""What the permission factories were called with, with the name of the action."""


class Document(Record):
    """A record with files; ``owner`` is a user's id."""

    ALLOWED_SCHEMAS = ()
    PREFERRED_SCHEMA = None

    def validate(self, **kwargs: Any) -> None:
        """Take anything but what the tests call bad."""
        if self.get("bad"):
            raise ValueError("The record is bad.")


def _factory(action: str) -> Any:
    def factory(**what: Any) -> Any:
        asked.append((action, what))
        allowed = what["record"].get(action, [])
        return SimpleNamespace(can=lambda: current_user.get_id() in map(str, allowed))

    return factory


may_get = _factory("get")
may_put = _factory("put")
may_delete = _factory("delete")

ENDPOINTS = {
    "recid": {
        "draft": "drecid",
        "pid_minter": "recid",
        "pid_fetcher": "recid",
        "record_class": f"{HERE}:Document",
        "list_route": "/records/",
        "search_index": "documents",
        "indexer_class": None,
        "files": {"put_file_factory": allow_all, "get_file_factory": allow_all},
    },
    "drecid": {
        "read_permission_factory_imp": allow_all,
        "publish_permission_factory_imp": allow_all,
        "files": {
            "put_file_factory": f"{HERE}:may_put",
            "get_file_factory": may_get,
            "delete_file_factory": may_delete,
        },
    },
}
"""The published records of the tests take files of everybody: only a draft is decided on."""


class Draft:
    """A draft, and its address."""

    def __init__(self, with_bucket: bool = True, **metadata: Any) -> None:
        # Made by the package when an application loads it.
        from tests.draft import records

        self.class_ = records.DocumentDraft
        record = self.class_.create(metadata, with_bucket=with_bucket)
        self.pid_value = str(uuid.uuid4())
        PersistentIdentifier.create(
            "drecid",
            self.pid_value,
            object_type="rec",
            object_uuid=record.id,
            status=PIDStatus.REGISTERED,
        )
        commit()
        self.id = record.id
        self.bucket = record.bucket
        self.address = f"/draft/records/{self.pid_value}"

    @property
    def record(self) -> Any:
        """The record as it is in the database."""
        db.session.rollback()
        db.session.expire_all()
        return self.class_.get_record(self.id)

    @property
    def listed(self) -> dict[str, Any]:
        """The record's own list of files, by key."""
        return {entry["key"]: entry for entry in self.record.get("_files", [])}


def commit() -> None:
    """Commit, and forget who the versioning of records took for the author of it.

    The application context of the tests outlives requests: the next one has to ask anew.
    """
    db.session.commit()
    g.pop("_login_user", None)


def begin(person: Any, draft: Draft, key: str, size: Any, **more: Any) -> Any:
    """Ask for a new upload, with JSON."""
    body = {"key": key, "multipart_content_type": "text/x-test", "size": size, **more}
    return person.post(f"{draft.address}/files/?multipart=True", json=body)


def send(upload: dict[str, Any], content: bytes) -> list[str]:
    """Send all parts of a small file, and return their ETags."""
    size = upload["part_size"]
    return [
        put(url, content[number * size :][:size]) for number, url in enumerate(upload["part_urls"])
    ]


def is_untouched(draft: Draft) -> bool:
    """Whether a draft has no file, and never had one."""
    # What was left in the session of the request would be written by now.
    db.session.commit()
    versions, uploads = (
        table.query.filter_by(bucket_id=draft.bucket.id).count()
        for table in (ObjectVersion, Upload)
    )
    left = (versions, uploads, draft.bucket.size, draft.record.get("_files", []))
    return left == (0, 0, 0, [])
