# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a sync does to the tables of files-rest: versions of objects that others have written.

Such a file has the object's URI and ``etag:<ETag>`` for a checksum. It is not writable, so that
files-rest never removes the object. One whose object has changed or is gone gives its URI up, and
cannot be read any more: its bytes do not exist.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID, uuid4

import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import FileInstance, ObjectVersion, ObjectVersionTag

from ..core.checksums import ETAG
from ..core.errors import BucketLocked
from ..core.times import isoformat, utcnow
from .buckets import change_size, lock_bucket

EXTERNAL_TAG = "oarepo-s3-external"
"""Tag of a version whose object was written by others; its value is the time of the object's last
change at the store, ISO 8601 in UTC."""


@dataclass(frozen=True, slots=True)
class Found:
    """An object of a scope as the store lists it; ``key`` is its name in the bucket."""

    key: str
    uri: str
    size: int
    etag: str
    modified: datetime


@dataclass(frozen=True, slots=True)
class Missing:
    """A file of a scope whose object the store has no more."""

    key: str
    uri: str


Difference = Found | Missing
Kind = Literal["new", "changed", "gone", "known"]


class _File(NamedTuple):
    id: UUID
    uri: str | None
    checksum: str | None
    size: int
    readable: bool
    created: datetime

    @property
    def is_external(self) -> bool:
        return (self.checksum or "").startswith(ETAG)


_FILE = [getattr(FileInstance, name) for name in _File._fields]


@dataclass(frozen=True, slots=True)
class Decision:
    """What is to be done about a difference.

    ``new`` and ``changed`` want a new version, ``gone`` a delete marker, ``known`` nothing.

    :param size: bytes; of the object, or of the file that is gone.
    :param file: the file that has the object's URI now: a new version takes it over, a changed or
        a gone object takes it away.
    """

    kind: Kind
    difference: Difference
    size: int
    file: _File | None = None


def decide(
    bucket_id: UUID | None, differences: Sequence[Difference], since: datetime
) -> Iterator[Decision]:
    """Yield what is to be done about each of some differences, and read rows alone.

    :param since: when the comparison began; what another sync has written later is newer.
    """
    files = _files({each.uri for each in differences})
    heads = _heads(bucket_id, [each.key for each in differences])
    for each in differences:
        file, head = files.get(each.uri), heads.get(each.key, _NO_HEAD)
        if file is not None and (file.created > since or not file.is_external):
            yield Decision("known", each, file.size)
        elif isinstance(each, Missing):
            yield _about_missing(each, file, head)
        else:
            yield _about_found(each, file, head)


class _Head(NamedTuple):
    """The newest version of a key; a delete marker has no file."""

    exists: bool
    file: _File | None


_NO_HEAD = _Head(exists=False, file=None)


def _about_missing(missing: Missing, file: _File | None, head: _Head) -> Decision:
    if file is None or head.file is None or head.file.id != file.id:
        return Decision("known", missing, 0)
    return Decision("gone", missing, file.size, file)


def _about_found(found: Found, file: _File | None, head: _Head) -> Decision:
    if head.file is not None and not head.file.readable and head.file.uri is not None:
        # An upload to this name is under way, and has to find its version as it left it.
        return Decision("known", found, found.size)
    if file is None:
        return Decision("new", found, found.size)
    if (file.checksum, file.size) != (f"{ETAG}{found.etag}", found.size):
        return Decision("changed", found, found.size, file)
    # The object is as it was. What somebody has deleted or uploaded in Invenio since then stays,
    # but its version may have been removed for good, down to one that has no bytes.
    lost = head.file is not None and head.file.is_external and head.file.uri is None
    if lost or not head.exists:
        return Decision("new", found, found.size, file)
    return Decision("known", found, found.size)


def _files(uris: set[str]) -> dict[str | None, _File]:
    rows = db.session.execute(sa.select(*_FILE).where(FileInstance.uri.in_(uris)))
    return {row.uri: _File(*row) for row in rows}


def _heads(bucket_id: UUID | None, keys: Sequence[str]) -> dict[str, _Head]:
    rows = db.session.execute(
        sa.select(ObjectVersion.key, *_FILE)
        .outerjoin(FileInstance, FileInstance.id == ObjectVersion.file_id)
        .where(
            ObjectVersion.bucket_id == bucket_id,
            ObjectVersion.key.in_(keys),
            ObjectVersion.is_head.is_(True),
        )
    )
    return {key: _Head(True, _File(*file) if file[0] else None) for key, *file in rows}


def write(bucket_id: UUID, differences: Sequence[Difference], since: datetime) -> list[Decision]:
    """Decide with the bucket locked, and do it; return what was decided. The caller commits.

    :raises BucketNotFound: when the bucket is gone.
    :raises BucketLocked: when it takes no changes.
    """
    bucket = lock_bucket(bucket_id)
    if bucket.locked:
        raise BucketLocked()
    decisions = list(decide(bucket_id, differences, since))
    rows = _Rows(bucket_id, bucket.default_storage_class)
    for decision in decisions:
        rows.add(decision)
    rows.write()
    return decisions


class _Rows:
    """The rows of some decisions, to be written in a few statements."""

    def __init__(self, bucket_id: UUID, storage_class: str) -> None:
        self._bucket_id = bucket_id
        self._storage_class = storage_class
        self._now = utcnow()
        self._times = {"created": self._now, "updated": self._now}
        self._lost: list[UUID] = []
        self._files: list[dict[str, Any]] = []
        self._versions: list[dict[str, Any]] = []
        self._tags: list[dict[str, Any]] = []
        self._size = 0

    def add(self, decision: Decision) -> None:
        """Take up what is to be done."""
        difference, file = decision.difference, decision.file
        if decision.kind == "known":
            return
        if file is not None and decision.kind != "new":
            self._lost.append(file.id)
            file = None
        if isinstance(difference, Missing):
            # files-rest takes the size of what it covers with a delete marker off the bucket.
            self._size -= decision.size
            self._add_version(difference.key, None)
            return
        version_id = self._add_version(
            difference.key, file.id if file is not None else self._add_file(difference)
        )
        modified = isoformat(difference.modified)
        self._tags.append({"version_id": version_id, "key": EXTERNAL_TAG, "value": modified})
        self._size += difference.size

    def write(self) -> None:
        """Write all of it."""
        if not self._versions:
            return
        if self._lost:
            _change(
                sa.update(FileInstance)
                .where(FileInstance.id.in_(self._lost))
                .values(uri=None, readable=False, updated=self._now)
            )
        _change(
            sa.update(ObjectVersion)
            .where(
                ObjectVersion.bucket_id == self._bucket_id,
                ObjectVersion.key.in_([version["key"] for version in self._versions]),
                ObjectVersion.is_head.is_(True),
            )
            .values(is_head=False, updated=self._now)
        )
        for model, rows in (
            (FileInstance, self._files),
            (ObjectVersion, self._versions),
            (ObjectVersionTag, self._tags),
        ):
            if rows:
                db.session.execute(sa.insert(model.__table__), rows)
        change_size(self._bucket_id, self._size)

    def _add_file(self, found: Found) -> UUID:
        file_id = uuid4()
        self._files.append(
            {
                "id": file_id,
                "uri": found.uri,
                "storage_class": self._storage_class,
                "size": found.size,
                "checksum": f"{ETAG}{found.etag}",
                "readable": True,
                "writable": False,
                **self._times,
            }
        )
        return file_id

    def _add_version(self, key: str, file_id: UUID | None) -> UUID:
        version_id = uuid4()
        self._versions.append(
            {
                "version_id": version_id,
                "key": key,
                "bucket_id": self._bucket_id,
                "file_id": file_id,
                "is_head": True,
                **self._times,
            }
        )
        return version_id


def _change(statement: Any) -> None:
    db.session.execute(statement.execution_options(synchronize_session=False))
