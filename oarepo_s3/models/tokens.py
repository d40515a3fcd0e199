# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Upload tokens: rights to upload, by an address."""

from __future__ import annotations

import uuid

from invenio_db import db
from sqlalchemy_utils.types import UUIDType

from ..core.times import utcnow
from .uploads import Upload


class UploadToken(db.Model):
    """A right to upload, by an address: to one bucket, or to the files of one draft.

    The token itself is not kept, only what it stands for: whoever reads the database cannot use it.
    """

    __tablename__ = "oarepo_s3_uploadtoken"

    id = db.Column(UUIDType, primary_key=True, default=uuid.uuid4)
    """Public id of the token."""

    user_id = db.Column(db.Integer, nullable=False)
    """Who made it, and as whom its bearer acts."""

    bucket_id = db.Column(UUIDType, nullable=True)
    """The files-rest bucket that it opens; None for a token of a draft."""

    record_service = db.Column(db.String(255), nullable=True)
    """Id of the file service of the draft that it opens; None for a token of a bucket."""

    record_pid = db.Column(db.Text, nullable=True)
    """The draft's id in that service."""

    created_at = db.Column(db.UTCDateTime, nullable=False, default=utcnow)
    """Aware UTC time."""

    expires_at = db.Column(db.UTCDateTime, nullable=False, index=True)
    """Aware UTC time after which it opens nothing; the sweep then removes the row."""

    revoked_at = db.Column(db.UTCDateTime, nullable=True)
    """Aware UTC time at which its owner took it back; None while it is good."""

    def opens(self, upload: Upload) -> bool:
        """Whether an upload was begun by the token's user, in the place that the token opens."""
        if upload.user_id != self.user_id:
            return False
        if self.record_service is None:
            # An upload of a record's file is a matter of that record, not of its bucket.
            return upload.record_service is None and upload.bucket_id == self.bucket_id
        return (upload.record_service, upload.record_pid) == (self.record_service, self.record_pid)
