# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The records' API: what a row of the tables is for the services."""

from __future__ import annotations

from invenio_drafts_resources.records import Draft as DraftBase
from invenio_drafts_resources.records import ParentRecord as ParentBase
from invenio_drafts_resources.records import Record as RecordBase
from invenio_records.systemfields import DictField, ModelField
from invenio_records_resources.records import FileRecord
from invenio_records_resources.records.systemfields import FilesField

from . import tables


class Parent(ParentBase):
    """What all versions have in common: here, whose they are."""

    model_cls = tables.ParentMetadata

    owner = DictField("owner")
    """Id of the user who made the first draft."""


class RecordFile(FileRecord):
    """A file of a published record."""

    model_cls = tables.RecordFileMetadata
    record_cls = None  # Set below: the two classes need each other.


class DraftFile(FileRecord):
    """A file of a draft."""

    model_cls = tables.DraftFileMetadata
    record_cls = None


class Record(RecordBase):
    """A published record."""

    model_cls = tables.RecordMetadata
    versions_model_cls = tables.ParentState
    parent_record_cls = Parent

    bucket_id = ModelField()
    bucket = ModelField(dump=False)
    # A new record gets the bucket of its draft, so it makes none. The files are in their own
    # table: nothing of them has to be kept in the record's JSON (store).
    files = FilesField(store=False, file_cls=RecordFile, create=False, delete=False)


class Draft(DraftBase):
    """A record that is being prepared."""

    model_cls = tables.DraftMetadata
    versions_model_cls = tables.ParentState
    parent_record_cls = Parent

    bucket_id = ModelField()
    bucket = ModelField(dump=False)
    # The files' component of the service empties the bucket when a draft is deleted.
    files = FilesField(store=False, file_cls=DraftFile, delete=False)


RecordFile.record_cls = Record
DraftFile.record_cls = Draft
