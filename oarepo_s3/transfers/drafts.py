# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads to a draft by its own file service, for clients that do not speak its REST API.

Nothing is done past the service: its components, its policy and its limits count as ever. What it
raises becomes an error of ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from flask import g
from flask_principal import PermissionDenied
from invenio_files_rest.errors import (
    BucketLockedError,
    FileSizeError,
    InvalidKeyError,
    InvalidOperationError,
)
from invenio_pidstore.errors import PersistentIdentifierError
from invenio_records_resources.proxies import current_service_registry
from invenio_records_resources.services.errors import (
    FileKeyNotFoundError,
    FilesCountExceededException,
)
from invenio_records_resources.services.files.transfer import MULTIPART_TRANSFER_TYPE
from sqlalchemy.exc import NoResultFound

from ..core.errors import (
    BucketLocked,
    DraftNotFound,
    Forbidden,
    InvalidKey,
    InvalidRequest,
    NotFound,
    StoreMisconfigured,
    UploadError,
    UploadNotFound,
    UploadNotPending,
)
from ..core.states import UploadState
from ..models import Upload
from ..services import abort_upload, complete_upload, upload_of_file
from ..services.create import require_assignable
from .multipart import takes_uploads

RECORD_GONE = (NoResultFound, PersistentIdentifierError)
"""What a service says of a record that is not there, or no longer."""


def begin_in_draft(
    service_id: str, pid: str, *, key: str, size: int, num_parts: int, part_size: int
) -> Upload:
    """Begin a transfer of type "M" and return its upload.

    :param service_id: id of the file service.
    :param pid: id of the draft in it.
    :raises UploadError: when the draft does not take the file.
    """
    with _our_errors(DraftNotFound):
        service = current_service_registry.get(service_id)
        files = _record(service, pid).files
        if not files.enabled:
            raise InvalidRequest(reason="the draft takes no files")
        require_assignable(files.bucket, key)
        if not takes_uploads(files.bucket):
            raise StoreMisconfigured(reason="the files of the draft are at no such store")
        transfer = {
            "type": MULTIPART_TRANSFER_TYPE,
            "parts": num_parts,
            "part_size": part_size,
        }
        service.init_files(g.identity, pid, [{"key": key, "size": size, "transfer": transfer}])
        return upload_of_file(_record(service, pid).files[key].object_version.file_id)


def complete_in_draft(upload: Upload, claims: Mapping[int, str] | None = None) -> Upload:
    """Complete the upload and commit its file; repeated, the same upload.

    :raises UploadError: when parts are missing or wrong, or the file was removed.
    """
    with _our_errors(UploadNotFound):
        service = current_service_registry.get(upload.record_service)
        if file_of(upload, service) is None:
            raise UploadNotFound()
        upload = complete_upload(upload, claims)
        file = file_of(upload, service)
        if file is not None and file.transfer.transfer_type == MULTIPART_TRANSFER_TYPE:
            service.commit_file(g.identity, upload.record_pid, upload.key)
    return upload


def abort_in_draft(upload: Upload) -> None:
    """Remove the file of the upload, and with it the upload; nothing happens the second time.

    :raises UploadNotPending: when the upload is completed.
    :raises StoreError: when the store did not drop it; call again.
    """
    if upload.state == UploadState.COMPLETED:
        raise UploadNotPending(state=upload.state)
    with _our_errors(UploadNotFound):
        service = current_service_registry.get(upload.record_service)
        if file_of(upload, service) is not None:
            service.delete_file(g.identity, upload.record_pid, upload.key)
    # It has ended with its file, unless the store did not answer.
    abort_upload(upload)


def _record(service: Any, pid: str) -> Any:
    return service.record_cls.pid.resolve(pid, registered_only=False)


def file_of(upload: Upload, service: Any) -> Any:
    """Return the file record of the upload; None when another file, or none, has its key."""
    file = _record(service, upload.record_pid).files.get(upload.key)
    ours = file is not None and file.object_version_id == upload.version_id
    return file if ours else None


@contextmanager
def _our_errors(gone: type[NotFound]) -> Iterator[None]:
    """Let the block raise our errors alone.

    :param gone: what to raise when the draft is not there.
    """
    try:
        yield
    except FileSizeError as error:
        if isinstance(error.__cause__, UploadError):
            raise error.__cause__ from error
        raise InvalidRequest(reason=str(error.description)) from error
    except InvalidKeyError as error:
        raise InvalidKey(reason="the draft has a file of this name already") from error
    except (InvalidOperationError, FilesCountExceededException) as error:
        raise InvalidRequest(reason=str(getattr(error, "description", error))) from error
    except BucketLockedError as error:
        raise BucketLocked() from error
    except PermissionDenied as error:
        raise Forbidden() from error
    except FileKeyNotFoundError as error:
        raise UploadNotFound() from error
    except (KeyError, *RECORD_GONE) as error:
        raise gone() from error
