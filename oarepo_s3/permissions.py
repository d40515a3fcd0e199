# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may do what, by invenio-files-rest's permission factory and its existing action names.

========== =====================================================================
begin      ``bucket-update`` on the bucket; an upload token needs the same
read       the one who began it, while they have ``bucket-update``; or ``multipart-read``
write      the one who began it, while they have ``bucket-update``; or ``bucket-update`` together
           with ``multipart-read``
abort      the one who began it, while they have ``bucket-update``; or ``multipart-delete``
keys       for an upload as write; for a scope its owner, while they have ``bucket-update`` there
========== =====================================================================

An upload that began as the transfer of a record's file is a matter of the record's own permissions,
as invenio-records-resources names them: ``set_content_files`` to read and write, ``commit_files``
to complete, ``delete_files`` to abort; ``create_files`` for an upload token to a draft.

An upload that nobody in particular began (a system process) belongs to all who have
``bucket-update``. Permissions are checked again on every call, so that one who loses them in the
middle of an upload cannot go on.
"""

from __future__ import annotations

from flask_login import current_user
from invenio_access import any_user, authenticated_user
from invenio_access.utils import get_identity
from invenio_accounts.models import User
from invenio_files_rest.models import Bucket
from invenio_files_rest.proxies import current_permission_factory

from .core.errors import (
    BucketNotFound,
    DraftNotFound,
    Forbidden,
    NotAuthenticated,
    UploadError,
    UploadNotFound,
)
from .models import Scope, Upload
from .record_access import files_allow, record_allows


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


def require_begin_in_draft(service_id: str, pid: str) -> None:
    """Let the caller begin multipart uploads to the files of a draft.

    :param service_id: id of the file service, as invenio-records-resources registered it.
    :param pid: the draft's id in it.
    :raises AccessError: when they may not.
    :raises DraftNotFound: when there is none, or they may not even know of it.
    """
    # Policies may allow some types of transfer only.
    planned = {"transfer": {"type": "M"}}
    if files_allow(service_id, pid, "create_files", file_metadata=planned):
        return
    if not current_user.is_authenticated:
        raise NotAuthenticated()
    if files_allow(service_id, pid, "read_files"):
        raise Forbidden()
    raise DraftNotFound()


def require_read(upload: Upload) -> None:
    """Let the caller see the upload and its parts.

    :raises AccessError: when they may not.
    :raises UploadNotFound: when they may not even know of the bucket.
    """
    bucket = _bucket_of(upload)
    if _is_record_matter(upload):
        _require_of_record(upload, "set_content_files")
    elif not (_owns(upload, bucket) or _can(bucket, "multipart-read")):
        _refuse(bucket, UploadNotFound())


def require_write(upload: Upload) -> None:
    """Let the caller send parts; raises as :func:`require_read`."""
    _require_change(upload, "set_content_files")


def require_complete(upload: Upload) -> None:
    """Let the caller complete; raises as :func:`require_read`."""
    _require_change(upload, "commit_files")


def require_scope(scope: Scope) -> None:
    """Let the caller have keys to a scope: its owner, while they have ``bucket-update`` there.

    :raises AccessError: for everybody else.
    """
    user_id = current_user_id()
    if user_id is None:
        raise NotAuthenticated()
    bucket = Bucket.get(scope.bucket_id)
    if bucket is None or scope.user_id != user_id or not _can(bucket, "bucket-update"):
        raise Forbidden()


def may_use_scope(user: User, scope: Scope) -> bool:
    """Whether somebody, were they the owner of a scope, would be given keys to it.

    :param user: a user who need not be logged in.
    """
    bucket = Bucket.get(scope.bucket_id)
    if bucket is None:
        return False
    identity = get_identity(user)
    identity.provides |= {any_user, authenticated_user}
    permission = current_permission_factory(bucket, "bucket-update")
    return permission is None or bool(permission.allows(identity))


def _require_change(upload: Upload, record_action: str) -> None:
    bucket = _bucket_of(upload)
    if _is_record_matter(upload):
        _require_of_record(upload, record_action)
        return
    if _owns(upload, bucket):
        return
    if not (_can(bucket, "bucket-update") and _can(bucket, "multipart-read")):
        _refuse(bucket, UploadNotFound())


def require_abort(upload: Upload) -> None:
    """Let the caller abort; raises as :func:`require_read`."""
    bucket = _bucket_of(upload)
    if _is_record_matter(upload):
        _require_of_record(upload, "delete_files")
    elif not (_owns(upload, bucket) or _can(bucket, "multipart-delete")):
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


def _is_record_matter(upload: Upload) -> bool:
    return upload.record_service is not None


def _require_of_record(upload: Upload, action: str) -> None:
    if record_allows(upload, action):
        return
    if not current_user.is_authenticated:
        raise NotAuthenticated()
    if record_allows(upload, "read_files"):
        raise Forbidden()
    raise UploadNotFound()
