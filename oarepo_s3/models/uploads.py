# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Upload sessions: what must outlive a request, a worker and a crash."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from invenio_db import db
from sqlalchemy_utils.types import UUIDType

from ..core.checksums import MultipartChecksum
from ..core.digests import ChecksumStatus, Digest, computable
from ..core.errors import InvalidRequest
from ..core.hidden import Hidden
from ..core.planning import PartPlan
from ..core.states import FINAL_STATES, UploadState, check_move
from ..core.times import utcnow


class HiddenString(sa.types.TypeDecorator[str]):
    """A text column whose values are left out of SQLAlchemy's logs and errors."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Any) -> str | None:
        """Hide what goes to the database."""
        return None if value is None else Hidden(value)

    def process_result_value(self, value: str | None, dialect: Any) -> str | None:
        """Hide what comes from it."""
        return None if value is None else Hidden(value)


class Upload(db.Model):
    """A multipart upload, from its creation on; ended ones stay as a record of what happened.

    The row points at bucket, file and user by plain ids, without foreign keys: they may be removed
    while parts still lie at the store, and then this row is the only one that knows of the parts.
    """

    __tablename__ = "oarepo_s3_upload"
    __table_args__ = (
        # With the size, so that monitoring gets counts and bytes from the index alone.
        sa.Index("ix_oarepo_s3_upload_state_expires_at_size", "state", "expires_at", "size"),
        sa.Index("ix_oarepo_s3_upload_user_id_created_at", "user_id", "created_at"),
    )

    id = db.Column(UUIDType, primary_key=True, default=uuid.uuid4)
    """Public id of the upload; the store's own id is never shown."""

    state = db.Column(db.String(16), nullable=False, default=UploadState.PENDING.value)
    """An :class:`~oarepo_s3.core.states.UploadState`; changed by :meth:`move` only."""

    bucket_id = db.Column(UUIDType, nullable=False, index=True)
    """The files-rest bucket."""

    key = db.Column(db.Text, nullable=False)
    """Name of the file in the bucket."""

    file_id = db.Column(UUIDType, nullable=False, index=True)
    """Id of the file instance; chosen at creation, because the object's URI contains it."""

    version_id = db.Column(UUIDType, nullable=True)
    """Id of the object version, once there is one.

    An upload that began by assigning a ``MultipartUpload`` has it from the start, as files-rest
    wants it; one that began by the REST API gets it on completion, so that an older version of the
    file stays in use until then.
    """

    record_service = db.Column(db.String(255), nullable=True)
    """Id of invenio-records-resources' file service, if the upload began as a record's transfer."""

    record_pid = db.Column(db.Text, nullable=True)
    """The record's id in that service: the record's own permissions then decide, and the upload
    ends with the file of the record."""

    user_id = db.Column(db.Integer, nullable=True)
    """Who began the upload; None for a system process."""

    size = db.Column(db.BigInteger, nullable=False)
    """Bytes of the whole file."""

    reserved = db.Column(db.BigInteger, nullable=False, default=0)
    """Bytes of the bucket's size that this row holds; 0 once a version of the file counts them.

    A bucket's size is always the sum of its versions and of what its uploads reserve.
    """

    part_size = db.Column(db.BigInteger, nullable=False)
    """Bytes of every part but the last."""

    num_parts = db.Column(db.Integer, nullable=False)
    """Number of parts."""

    content_type = db.Column(db.String(255), nullable=True)
    """MIME type that the client gave."""

    declared_checksum = db.Column(db.String(255), nullable=True)
    """Digest of the whole file that the client gave, as ``algorithm:hex``."""

    checksum_status = db.Column(db.String(16), nullable=True)
    """A :class:`~oarepo_s3.core.digests.ChecksumStatus`; None when no digest was given."""

    store_checksum = db.Column(db.String(16), nullable=True)
    """Algorithm in which the store itself keeps checksums of the parts and of the object, as it was
    told when the upload was opened; None for none."""

    uri = db.Column(db.Text, nullable=False)
    """URI of the object; the key in it is the server's own."""

    store_upload_id = db.Column(db.Text, nullable=True)
    """The store's id of the multipart upload; None until the store has answered."""

    token = db.Column(HiddenString(64), nullable=False)
    """Secret mark in the object's metadata, which proves that an object came of this upload."""

    form_uri = db.Column(db.Text, nullable=True)
    """URI of the object that a form makes, once one was handed out: the form sends the file there,
    and never to its final place."""

    form_until = db.Column(db.UTCDateTime, nullable=True, index=True)
    """Aware UTC time until which a form may be sent; None for none, or when nothing of it is left
    at the store."""

    staged_etag = db.Column(db.String(255), nullable=True)
    """ETag of the object at ``form_uri`` that is being copied into the parts; None before. Parts
    that were copied of another one have to be copied again."""

    etag = db.Column(db.String(255), nullable=True)
    """ETag of the completed object."""

    reason = db.Column(db.Text, nullable=True)
    """Why the upload failed."""

    created_at = db.Column(db.UTCDateTime, nullable=False, default=utcnow)
    """Aware UTC time."""

    updated_at = db.Column(db.UTCDateTime, nullable=False, default=utcnow, onupdate=utcnow)
    """Aware UTC time."""

    expires_at = db.Column(db.UTCDateTime, nullable=False)
    """Aware UTC time after which the sweep drops the upload."""

    rests_until = db.Column(db.UTCDateTime, nullable=True)
    """Aware UTC time until which tasks leave the row alone: one of them is at it, or has looked at
    it just now. Requests of clients do not care."""

    @property
    def plan(self) -> PartPlan:
        """How the file is cut into parts."""
        return PartPlan(self.size, self.part_size, self.num_parts)

    @property
    def checksum(self) -> str | None:
        """The checksum of the completed object, as files-rest stores it; None before.

        The client's digest once it is verified, if it can be computed here: a check of fixity has
        to be able to repeat it. Else what the store vouches for.
        """
        if self.checksum_status == ChecksumStatus.VERIFIED:
            declared = self.declared
            if declared is not None and declared.algorithm in computable():
                return str(declared)
        return self.multipart_checksum

    @property
    def multipart_checksum(self) -> str | None:
        """What the store vouches for, whatever is known of the client's digest; None before."""
        return str(MultipartChecksum(self.etag, self.part_size)) if self.etag else None

    @property
    def declared(self) -> Digest | None:
        """The client's digest of the whole file; None for none, or for one that nobody can read."""
        if not self.declared_checksum:
            return None
        try:
            return Digest.parse(self.declared_checksum)
        except InvalidRequest:
            return None  # written before digests were read strictly

    @property
    def has_ended(self) -> bool:
        """Whether nothing happens to the upload any more."""
        return UploadState(self.state) in FINAL_STATES

    def is_expired(self, now: datetime | None = None) -> bool:
        """Whether the upload's time has run out."""
        return self.expires_at <= (now or utcnow())

    def move(self, new: UploadState, **changes: Any) -> bool:
        """Change the state, if nobody else has changed it since this row was read.

        Compare-and-set in one statement, so that it holds on every database and needs no lock that
        would have to be kept while the store is called. The row rests no longer: in its new state
        another task may have to look at it. The caller commits.

        :param changes: other columns to set with it.
        :returns: False when somebody was faster; the row then shows what they made of it.
        :raises IllegalMove: for a move that no upload may make.
        """
        old = UploadState(self.state)
        check_move(old, new)
        moved = db.session.execute(
            sa.update(Upload)
            .where(Upload.id == self.id, Upload.state == old.value)
            .values({"state": new.value, "updated_at": utcnow(), "rests_until": None, **changes})
            .execution_options(synchronize_session=False)
        )
        db.session.refresh(self)
        return moved.rowcount == 1

    def __repr__(self) -> str:
        return f"<Upload {self.id} {self.state} {self.bucket_id}:{self.key!r}>"
