# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may do what, by invenio-files-rest's permission factory and its existing action names.

========== =====================================================================
begin      ``bucket-update`` on the bucket
read       the one who began it, while they have ``bucket-update``; or ``multipart-read``
write      the one who began it, while they have ``bucket-update``; or ``bucket-update`` together
           with ``multipart-read``
abort      the one who began it, while they have ``bucket-update``; or ``multipart-delete``
========== =====================================================================

An upload that nobody in particular began (a system process) belongs to all who have
``bucket-update``. Permissions are checked again on every call, so that one who loses them in the
middle of an upload cannot go on.
"""

from __future__ import annotations

from flask_login import current_user
from invenio_files_rest.models import Bucket
from invenio_files_rest.proxies import current_permission_factory

from .core.errors import BucketNotFound, Forbidden, NotAuthenticated, UploadError, UploadNotFound
from .models import Upload


def current_user_id() -> int | None:
    """Return the id of whoever is logged in, or None."""
    return int(current_user.id) if current_user.is_authenticated else None


def require_begin(bucket: Bucket) -> None:
    """Let the caller begin an upload in the bucket.

    :raises AccessError: when they may not.
    :raises BucketNotFound: when they may not even know of the bucket.
    """
    if not _can(bucket, "bucket-update"):
        _refuse(bucket, BucketNotFound())


def require_read(upload: Upload) -> None:
    """Let the caller see the upload and its parts.

    :raises AccessError: when they may not.
    :raises UploadNotFound: when they may not even know of the bucket.
    """
    bucket = _bucket_of(upload)
    if not (_owns(upload, bucket) or _can(bucket, "multipart-read")):
        _refuse(bucket, UploadNotFound())


def require_write(upload: Upload) -> None:
    """Let the caller send parts and complete; raises as :func:`require_read`."""
    bucket = _bucket_of(upload)
    if _owns(upload, bucket):
        return
    if not (_can(bucket, "bucket-update") and _can(bucket, "multipart-read")):
        _refuse(bucket, UploadNotFound())


def require_abort(upload: Upload) -> None:
    """Let the caller abort; raises as :func:`require_read`."""
    bucket = _bucket_of(upload)
    if not (_owns(upload, bucket) or _can(bucket, "multipart-delete")):
        _refuse(bucket, UploadNotFound())


def _bucket_of(upload: Upload) -> Bucket:
    bucket = Bucket.get(upload.bucket_id)
    if bucket is None:
        raise UploadNotFound()
    return bucket


def _owns(upload: Upload, bucket: Bucket) -> bool:
    mine = upload.user_id is None or upload.user_id == current_user_id()
    return mine and _can(bucket, "bucket-update")


def _can(bucket: Bucket, action: str) -> bool:
    permission = current_permission_factory(bucket, action)
    return permission is None or bool(permission.can())


def _refuse(bucket: Bucket, hidden: UploadError) -> None:
    """Say no: 401 to the anonymous, 403 to those who see the bucket, 404 to everybody else."""
    if not current_user.is_authenticated:
        raise NotAuthenticated()
    if _can(bucket, "bucket-read") or _can(bucket, "bucket-update"):
        raise Forbidden()
    raise hidden
