# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What an upload does to the tables of invenio-files-rest: room, versions and files.

All of it happens in the caller's transaction.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion, ObjectVersionTag
from invenio_files_rest.proxies import current_files_rest
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.orm.util import identity_key

from ..core.errors import BucketLocked, BucketNotFound, FileTooLarge, QuotaExceeded
from ..core.times import utcnow
from ..models import Upload

COVERED_TAG = "oarepo-s3-covered"
"""Tag of a delete marker whose own version was removed: what it now stands above still counts."""


@sa.event.listens_for(Bucket, "before_update")
def _write_size_as_a_change(mapper: Any, connection: Any, bucket: Bucket) -> None:
    """Let whoever computes a bucket's size in Python write the difference, not the result.

    files-rest does so without a lock (``bucket.size -= obj.file.size``), when a file is deleted,
    for example: what uploads have reserved since the bucket was read would be forgotten.
    """
    history = sa.inspect(bucket).attrs.size.history
    if not (history.added and history.deleted and isinstance(history.added[0], int)):
        return
    row = Bucket.__table__.c
    changed = row.size + (history.added[0] - history.deleted[0])
    connection.execute(sa.update(Bucket.__table__).where(row.id == bucket.id).values(size=changed))
    # Not left to the next look at it: that may come in the middle of a flush.
    size = connection.scalar(sa.select(row.size).where(row.id == bucket.id))
    set_committed_value(bucket, "size", size)


def lock_bucket(bucket_id: UUID) -> Bucket:
    """Return the bucket, fresh, with its row locked until the end of the transaction.

    :raises BucketNotFound: when there is none, or it is deleted.
    """
    _lock(bucket_id)
    bucket = db.session.get(Bucket, bucket_id, populate_existing=True)
    if bucket is None or bucket.deleted:
        raise BucketNotFound()
    return bucket


def require_open_bucket(bucket_id: UUID) -> None:
    """Refuse early what a bucket will not take.

    :raises BucketNotFound: when there is none, or it is deleted.
    :raises BucketLocked: when it takes no changes.
    """
    bucket = Bucket.get(bucket_id)
    if bucket is None:
        raise BucketNotFound()
    if bucket.locked:
        raise BucketLocked()


def _lock(bucket_id: UUID) -> None:
    """Lock a bucket's row by an update that changes nothing.

    It works on SQLite too, where FOR UPDATE does not exist, and unlike FOR UPDATE it lets others
    insert rows that refer to the bucket.
    """
    db.session.flush()
    db.session.execute(
        sa.update(Bucket)
        .where(Bucket.id == bucket_id)
        .values(size=Bucket.size)
        .execution_options(synchronize_session=False)
    )


def require_room(bucket: Bucket, size: int) -> None:
    """Check the file against every limit of the bucket, as configured for files-rest.

    :param bucket: a locked bucket, or the answer may be stale before it is used.
    :param size: bytes.
    :raises BucketLocked: when the bucket takes no changes.
    :raises FileTooLarge: when a single file may not be that large.
    :raises QuotaExceeded: when another limit does not allow it.
    """
    if bucket.locked:
        raise BucketLocked()
    for limiter in current_files_rest.file_size_limiters(bucket):
        if limiter.limit is not None and size > limiter.limit:
            alone = bucket.max_file_size is not None and size > bucket.max_file_size
            error = FileTooLarge if alone else QuotaExceeded
            raise error(size=size, limit=limiter.limit, reason=limiter.reason)


def change_size(bucket_id: UUID, by: int) -> None:
    """Add bytes to a bucket's size (or take them away), whatever others do at the same time."""
    if not by:
        return
    db.session.flush()
    db.session.execute(
        sa.update(Bucket)
        .where(Bucket.id == bucket_id)
        .values(size=Bucket.size + by)
        .execution_options(synchronize_session=False)
    )
    loaded = db.session.identity_map.get(identity_key(Bucket, bucket_id))
    if loaded is not None:
        db.session.refresh(loaded)


def publish_file(upload: Upload) -> ObjectVersion | None:
    """Make the uploaded file readable; create its version if it has none yet.

    :returns: the version, or None when somebody removed it meanwhile.
    :raises BucketNotFound: when the bucket is gone.
    :raises BucketLocked: when the bucket takes no changes.
    """
    if upload.version_id is not None:
        file = db.session.get(FileInstance, upload.file_id)
        if file is None:
            return None
        file.readable, file.writable = True, False
        file.size, file.checksum = upload.size, upload.checksum
        return db.session.get(ObjectVersion, upload.version_id)
    bucket = lock_bucket(upload.bucket_id)
    if bucket.locked:
        raise BucketLocked()
    file = FileInstance(id=upload.file_id)
    file.set_uri(
        upload.uri, upload.size, upload.checksum, storage_class=bucket.default_storage_class
    )
    db.session.add(file)
    # From here on the new version counts the bytes, which the row had reserved until now.
    bucket.size -= upload.reserved
    upload.reserved = 0
    version = ObjectVersion.create(bucket, upload.key, _file_id=file, mimetype=upload.content_type)
    upload.version_id = version.version_id
    return version


def replace_checksum(upload: Upload, old: str | None) -> None:
    """Give the file the checksum that its upload has now.

    Nothing happens when the file is gone, or has another checksum than ``old`` by now.
    """
    db.session.flush()
    new = upload.checksum
    if new == old:
        return
    db.session.execute(
        sa.update(FileInstance)
        .where(FileInstance.id == upload.file_id, FileInstance.checksum == old)
        .values(checksum=new, updated=utcnow())
        .execution_options(synchronize_session=False)
    )


def give_room_back(upload: Upload) -> None:
    """Free what the row itself has reserved; nothing the second time."""
    change_size(upload.bucket_id, -upload.reserved)
    upload.reserved = 0


def remove_file(upload: Upload) -> None:
    """Undo what the upload did: give the room back and remove its versions and file.

    A locked bucket does not stop this: nothing that anybody could read is changed.
    """
    give_room_back(upload)
    if upload.version_id is None:
        return
    # Whoever removes a file from its record locks the record's entry first, and then the bucket.
    _empty_references(
        sa.select(ObjectVersion.version_id).where(ObjectVersion.file_id == upload.file_id)
    )
    # One at a time, or of two that remove versions of a key each makes the other's one the newest.
    _lock(upload.bucket_id)
    versions = db.session.scalars(
        sa.select(ObjectVersion)
        .where(ObjectVersion.file_id == upload.file_id)
        .execution_options(populate_existing=True)
    ).all()
    for version in versions:
        marker = _delete_marker_of(version)
        if marker is None:
            change_size(version.bucket_id, -upload.size)
        else:
            ObjectVersionTag.create_or_update(marker, COVERED_TAG, str(version.version_id))
        _remove_version(version)
    db.session.execute(sa.delete(FileInstance).where(FileInstance.id == upload.file_id))


def _remove_version(version: ObjectVersion) -> None:
    bucket_id, key, was_head = version.bucket_id, version.key, version.is_head
    _empty_references([version.version_id])
    db.session.execute(
        sa.delete(ObjectVersionTag).where(ObjectVersionTag.version_id == version.version_id)
    )
    db.session.delete(version)
    db.session.flush()
    if was_head:
        latest = ObjectVersion.get_versions(bucket_id, key, desc=True).first()
        if latest is not None:
            latest.is_head = True
            db.session.flush()


def _empty_references(versions: Any) -> None:
    """Let no record refer to the versions.

    :param versions: ids, or a query for them.
    """
    for column in _references():
        db.session.execute(
            sa.update(column.table).where(column.in_(versions)).values({column.name: None})
        )


def _references() -> list[Any]:
    """Return the columns of record stacks that refer to versions and can do without.

    The file of a record then has no content, and its owner can remove it or send it again.
    """
    version_id = ObjectVersion.__table__.c.version_id
    return [
        column
        for table in db.metadata.tables.values()
        for column in table.columns
        if column.nullable and column.references(version_id)
    ]


def _delete_marker_of(version: ObjectVersion) -> ObjectVersion | None:
    """Return the delete marker for which files-rest already took the version's size off the bucket.

    ``ObjectVersion.delete`` does that with the head that the marker covers, and with no older one.
    """
    if version.is_head:
        return None
    marker = db.session.scalars(
        sa.select(ObjectVersion)
        .where(
            ObjectVersion.bucket_id == version.bucket_id,
            ObjectVersion.key == version.key,
            ObjectVersion.created > version.created,
        )
        .order_by(ObjectVersion.created)
        .limit(1)
    ).first()
    if marker is None or not marker.deleted or ObjectVersionTag.get(marker, COVERED_TAG):
        return None
    return marker
