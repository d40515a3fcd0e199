# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tables: a parent with its versions, records, drafts, and the files of either.

Nothing here is special to uploads: this is what any model of invenio-drafts-resources has.
"""

from __future__ import annotations

from invenio_db import db
from invenio_drafts_resources.records import (
    DraftMetadataBase,
    ParentRecordMixin,
    ParentRecordStateMixin,
)
from invenio_files_rest.models import Bucket
from invenio_records.models import RecordMetadataBase
from invenio_records_resources.records.models import FileRecordModelMixin
from sqlalchemy_utils.types import UUIDType


class ParentMetadata(db.Model, RecordMetadataBase):
    """What all versions of a record have in common."""

    __tablename__ = "example_parent"


class RecordMetadata(db.Model, RecordMetadataBase, ParentRecordMixin):
    """A published record."""

    __tablename__ = "example_record"
    __parent_record_model__ = ParentMetadata

    # The files-rest bucket with the files.
    bucket_id = db.Column(UUIDType, db.ForeignKey(Bucket.id), index=True)
    bucket = db.relationship(Bucket, foreign_keys=[bucket_id])


class DraftMetadata(db.Model, DraftMetadataBase, ParentRecordMixin):
    """A draft."""

    __tablename__ = "example_draft"
    __parent_record_model__ = ParentMetadata

    # The files-rest bucket with the files.
    bucket_id = db.Column(UUIDType, db.ForeignKey(Bucket.id), index=True)
    bucket = db.relationship(Bucket, foreign_keys=[bucket_id])


class ParentState(db.Model, ParentRecordStateMixin):
    """Which version is the latest, and which draft the next."""

    __tablename__ = "example_parent_state"
    __parent_record_model__ = ParentMetadata
    __record_model__ = RecordMetadata
    __draft_model__ = DraftMetadata


class RecordFileMetadata(db.Model, RecordMetadataBase, FileRecordModelMixin):
    """A file of a published record."""

    __tablename__ = "example_record_file"
    __record_model_cls__ = RecordMetadata


class DraftFileMetadata(db.Model, RecordMetadataBase, FileRecordModelMixin):
    """A file of a draft; it also knows how its content comes (its transfer)."""

    __tablename__ = "example_draft_file"
    __record_model_cls__ = DraftMetadata
