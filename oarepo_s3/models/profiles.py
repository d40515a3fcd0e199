# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What stores were found to be able to do."""

from __future__ import annotations

from invenio_db import db

from ..core.times import utcnow


class StoreProfile(db.Model):
    """What one bucket's store really does, as it was tried by ``invenio s3 check``.

    It takes the place of what the settings say of stores of its kind.
    """

    __tablename__ = "oarepo_s3_storeprofile"

    place = db.Column(db.Text, primary_key=True)
    """The scheme and the bucket, such as ``s3://repository``."""

    abilities = db.Column(db.JSON, nullable=False)
    """The fields of a :class:`~oarepo_s3.backends.Profile`, as JSON has them."""

    checked_at = db.Column(db.UTCDateTime, nullable=False, default=utcnow)
    """Aware UTC time at which it was tried."""
