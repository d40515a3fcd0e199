# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Grants: who was handed out temporary keys, to what and for how long."""

from __future__ import annotations

import uuid

from invenio_db import db
from sqlalchemy_utils.types import UUIDType

from ..core.times import utcnow


class Grant(db.Model):
    """Temporary keys that were handed out; neither their secret nor their token is kept."""

    __tablename__ = "oarepo_s3_grant"

    id = db.Column(UUIDType, primary_key=True, default=uuid.uuid4)
    """Id of the grant."""

    user_id = db.Column(db.Integer, nullable=True, index=True)
    """Who asked for them; None for an operator's command."""

    upload_id = db.Column(UUIDType, nullable=True, index=True)
    """The upload that they are for; None for keys to a scope."""

    scope_id = db.Column(UUIDType, nullable=True, index=True)
    """The scope that they are for; None for keys to an upload."""

    target = db.Column(db.Text, nullable=False)
    """URI of the one object, or with a slash at its end of the prefix, that they open."""

    access_key = db.Column(db.String(255), nullable=True)
    """The temporary access key, which the store's own logs name; None while the store has not
    answered."""

    created_at = db.Column(db.UTCDateTime, nullable=False, default=utcnow)
    """Aware UTC time."""

    expires_at = db.Column(db.UTCDateTime, nullable=False, index=True)
    """Aware UTC time after which the store takes them no more."""
