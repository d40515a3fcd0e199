# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Transfer type "M": a file in parts, straight to the store.

On the wire nothing differs from records-resources' own transfer of this type. Behind it stands an
upload like any other, which :class:`~oarepo_s3.api.MultipartUpload` opens. A bucket whose location
is no object store, and a file that was begun before this package was installed, are left to
records-resources.
"""

from __future__ import annotations

import logging
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import current_app
from invenio_db import db
from invenio_db.uow import Operation
from invenio_files_rest.models import Bucket, FileInstance
from invenio_files_rest.proxies import current_files_rest
from invenio_records_resources.proxies import current_service_registry
from invenio_records_resources.services.errors import FileKeyNotFoundError
from invenio_records_resources.services.files.tasks import recompute_multipart_checksum_task
from invenio_records_resources.services.files.transfer import LOCAL_TRANSFER_TYPE, TransferStatus
from invenio_records_resources.services.files.transfer.base import Transfer
from invenio_records_resources.services.files.transfer.providers.multipart import (
    MultipartTransfer as StockMultipartTransfer,
)
from invenio_records_resources.services.uow import RecordCommitOp, TaskOp
from sqlalchemy.exc import SQLAlchemyError

from ..api import MultipartUpload
from ..backends import PresignsParts
from ..core.checksums import MultipartChecksum
from ..core.digests import ChecksumStatus
from ..core.errors import InvalidLocation, InvalidRequest, StoreError
from ..core.states import UploadState
from ..models import Upload
from ..proxies import current_s3
from ..services import complete_upload, upload_of_file
from ..storage import S3FileStorage
from ..tasks import verify_declared_checksums
from .links import part_links

logger = logging.getLogger(__name__)

_UNDER_WAY = (UploadState.PENDING, UploadState.COMPLETING, UploadState.COMPLETED)
"""States in which a file can still be committed."""


class MultipartTransfer(StockMultipartTransfer):
    """A transfer whose file is an upload of this package."""

    def init_file(self, record: Any, file_metadata: dict[str, Any], **kwargs: Any) -> Any:
        """Open an upload in the transaction of the caller and return the file record.

        :raises FileSizeError: when there is no room for the file.
        :raises UploadError: for a size or a number of parts that cannot be, or when the store does
            not open the upload.
        """
        if not takes_uploads(record.files.bucket):
            return super().init_file(record, file_metadata, **kwargs)
        data = {**file_metadata}
        key, transfer = data.pop("key"), data.pop("transfer")
        _check_size(data.get("size"))
        _check_storage_class(data.get("storage_class"))
        wanted = MultipartUpload(
            key,
            size=data["size"],
            num_parts=transfer["parts"],
            part_size=transfer.get("part_size"),
            checksum=data.get("checksum"),
        )
        # Before anything is opened: what follows the opening may fail as well.
        self.uow.register(_DropOnRollback(wanted))
        file_record = record.files.create(
            key, stream=wanted, transfer=transfer, data=data, **kwargs
        )
        file = file_record.object_version.file
        file.storage_class = data.get("storage_class") or file.storage_class
        upload = upload_of_file(file.id)
        upload.record_service = _service_id(self.file_service)
        upload.record_pid = record.pid.pid_value
        self._remember(file_record, upload)
        return file_record

    def _remember(self, file_record: Any, upload: Upload) -> None:
        """Write the upload into its file record."""
        # A client that leaves the cut to the server reads it here.
        file_record.transfer["part_size"] = upload.part_size
        file_record.transfer["multipart_metadata"] = {
            "upload": str(upload.id),
            "parts": upload.num_parts,
            "part_size": upload.part_size,
            "size": upload.size,
        }
        # For the answer to this very call: it carries the links of what was opened by it.
        file_record.opened_now = True
        self.uow.register(RecordCommitOp(file_record))

    @property
    def upload(self) -> Upload | None:
        """The upload of the file; None for a file that records-resources itself takes care of."""
        metadata = self.file_record.transfer.get("multipart_metadata") or {}
        if "upload" not in metadata:
            return None
        # The session forgets what nobody holds, and every answer looks several times.
        self.file_record.upload = db.session.get(Upload, UUID(metadata["upload"]))
        return self.file_record.upload

    @property
    def status(self) -> str:
        """``pending`` until the commit; ``failed`` when the upload has ended without a file."""
        if self.upload is None or self.upload.state in _UNDER_WAY:
            return str(super().status)
        return str(TransferStatus.FAILED)

    def set_file_content(self, stream: Any, content_length: int | None) -> None:
        """Refuse: the content goes to the store.

        Other than records-resources' own error, this one does not remove the file.

        :raises InvalidRequest: always.
        """
        raise InvalidRequest(reason="send the content in parts, to the URLs in links.parts")

    def set_file_multipart_content(
        self, part: int, stream: Any, content_length: int | None
    ) -> None:
        """Refuse a part that comes through the server, unless that is where it belongs.

        :raises InvalidRequest: for a file that is uploaded to the store.
        """
        if self.upload is not None:
            self.set_file_content(stream, content_length)
        super().set_file_multipart_content(part, stream, content_length)

    def commit_file(self) -> None:
        """Verify and complete the upload, then make the file one like any other.

        What must survive a crash is committed on the way, and with it whatever the caller's
        transaction holds. A commit that was interrupted is repeated to the same end.

        :raises UploadError: when parts are missing or wrong, or the store did not answer.
        """
        upload = self.upload
        if upload is None:
            super().commit_file()
            return
        row_id = self.file_record.id
        upload = complete_upload(upload)
        self._lock_file_record(row_id)
        if self.file_record.transfer.transfer_type == LOCAL_TRANSFER_TYPE:
            return  # Somebody else has just done the rest.
        Transfer.commit_file(self)
        self.file_record.transfer.transfer_type = LOCAL_TRANSFER_TYPE
        self.file_record.commit()
        self._read_the_file(upload)

    def _lock_file_record(self, row_id: UUID) -> None:
        """Read the file record again, locked: a client may have committed twice, or somebody else.

        :raises FileKeyNotFoundError: when it was removed meanwhile.
        """
        record_class = type(self.file_record)
        row = db.session.scalars(
            sa.select(record_class.model_cls)
            .where(record_class.model_cls.id == row_id)
            .with_for_update()
            .execution_options(populate_existing=True)
        ).one_or_none()
        if row is None or row.is_deleted:
            raise FileKeyNotFoundError(self.record.pid.pid_value, self.key)
        self._file_record = record_class(row.data, model=row)
        # The answer is made of what the record shows.
        self.record.files.entries[self.key] = self._file_record

    def delete_file(self) -> None:
        """Do nothing: the upload ends with its file, once that is committed."""
        if self.upload is None:
            super().delete_file()

    def expand_links(self, identity: Any, self_url: str) -> dict[str, Any]:
        """Return links of the parts, for those who may send them.

        :raises InvalidRequest: when the query asks for no number of links.
        """
        may_send = self.file_service.check_permission(
            identity, "set_content_files", record=self.record, file_key=self.key
        )
        if not may_send:
            return {"content": None}
        upload = self.upload
        if upload is None:
            return dict(super().expand_links(identity, self_url))
        return part_links(upload, self.file_record, self.record)

    def _read_the_file(self, upload: Upload) -> None:
        """Have a task find out the checksum of the whole file, if it is not known yet."""
        if not current_s3.settings.read_after_commit:
            return
        file = self.file_record.object_version.file
        multipart = MultipartChecksum.parse(file.checksum)
        if upload.checksum_status == ChecksumStatus.DECLARED:
            self.uow.register(TaskOp(verify_declared_checksums))
        elif (
            upload.checksum_status is None
            # What the task of records-resources can cope with.
            and upload.size
            and multipart is not None
            and multipart.is_composite
        ):
            self.uow.register(TaskOp(recompute_multipart_checksum_task, str(file.id)))


class _DropOnRollback(Operation):
    """Drop at the store what was opened in a unit of work that came to nothing."""

    def __init__(self, wanted: MultipartUpload) -> None:
        self._wanted = wanted

    def on_post_rollback(self, uow: Any) -> None:
        """Drop it; what cannot be dropped is an orphan, and the sweep of these finds it."""
        try:
            self._wanted.drop_unsaved()
        except (StoreError, SQLAlchemyError) as error:
            # What the caller has to learn of is why it was rolled back.
            logger.warning(
                "An upload that was rolled back is still at the store (%s).",
                type(error).__name__,
                extra={"action": "drop_failed"},
            )


def takes_uploads(bucket: Bucket) -> bool:
    """Whether clients can send parts to the store of a bucket, and our storage is in charge."""
    storage = current_files_rest.storage_factory(
        fileinstance=FileInstance(id=uuid4(), size=0), default_location=bucket.location.uri
    )
    if not isinstance(storage, S3FileStorage):
        return False
    try:
        return isinstance(current_s3.store(storage.fileurl), PresignsParts)
    except InvalidLocation:
        return False


def _service_id(file_service: Any) -> str | None:
    try:
        return str(current_service_registry.get_service_id(file_service))
    except KeyError:
        return None


def _check_size(size: int | None) -> None:
    """Refuse at once what the commit would refuse."""
    if size is None:
        raise InvalidRequest(reason="a multipart transfer needs the size of the file")
    if size == 0 and not current_app.config.get("RECORDS_RESOURCES_ALLOW_EMPTY_FILES", True):
        raise InvalidRequest(reason="files without content are not taken here")


def _check_storage_class(storage_class: str | None) -> None:
    known = current_app.config["FILES_REST_STORAGE_CLASS_LIST"]
    if storage_class is not None and storage_class not in known:
        raise InvalidRequest(reason=f"the storage classes are {', '.join(known)}")
