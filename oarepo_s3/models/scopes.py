# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Scopes: prefixes that tools other than this package write to."""

from __future__ import annotations

import uuid

from invenio_db import db
from sqlalchemy_utils.types import UUIDType

from ..core.times import utcnow


class Scope(db.Model):
    """A prefix in a location whose objects are the files of one bucket of files-rest.

    Its owner gets temporary keys for the prefix and writes to it with any S3 client; a sync then
    makes object versions of what lies there.
    """

    __tablename__ = "oarepo_s3_scope"

    id = db.Column(UUIDType, primary_key=True, default=uuid.uuid4)
    """Id of the row."""

    name = db.Column(db.String(255), nullable=False, unique=True)
    """Its name, ``scope:name``."""

    location_name = db.Column(db.String(20), nullable=False)
    """Name of the location of files-rest."""

    prefix = db.Column(db.Text, nullable=False)
    """What the keys of its objects begin with, below the location; without a slash at either end.
    Empty for the whole location."""

    bucket_id = db.Column(UUIDType, nullable=False, index=True)
    """The files-rest bucket that has its objects as versions."""

    user_id = db.Column(db.Integer, nullable=True)
    """Who may ask for keys; None for nobody."""

    created_at = db.Column(db.UTCDateTime, nullable=False, default=utcnow)
    """Aware UTC time."""

    synced_at = db.Column(db.UTCDateTime, nullable=True)
    """Aware UTC time at which the last whole sync ended; None before the first."""
