# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A record of invenio-records-resources with files, and its routes, for the tests of downloads."""

from __future__ import annotations

from invenio_db import db
from invenio_files_rest.models import Bucket
from invenio_records.models import RecordMetadataBase
from invenio_records.systemfields import ModelField
from invenio_records_permissions.generators import AnyUser
from invenio_records_permissions.policies import BasePermissionPolicy
from invenio_records_resources.records.api import FileRecord, Record
from invenio_records_resources.records.models import FileRecordModelMixin
from invenio_records_resources.records.systemfields import FilesField
from invenio_records_resources.records.systemfields.pid import ModelPIDField
from invenio_records_resources.resources import FileResource, FileResourceConfig
from invenio_records_resources.services import FileService, FileServiceConfig
from sqlalchemy_utils.types import UUIDType


class RecordModel(db.Model, RecordMetadataBase):
    """A record, its identifier and its bucket."""

    __tablename__ = "test_downloads_record"

    pid = db.Column(db.String, unique=True)
    bucket_id = db.Column(UUIDType, db.ForeignKey(Bucket.id))
    bucket = db.relationship(Bucket)


class FileModel(db.Model, RecordMetadataBase, FileRecordModelMixin):
    """A file of a record."""

    __record_model_cls__ = RecordModel
    __tablename__ = "test_downloads_file"


class File(FileRecord):
    """A file of a record."""

    model_cls = FileModel
    record_cls = None


class RecordWithFiles(Record):
    """A record with files."""

    model_cls = RecordModel
    pid = ModelPIDField()
    bucket_id = ModelField(dump=False)
    bucket = ModelField(dump=False)
    files = FilesField(store=False, file_cls=File, create=False, delete=False)


File.record_cls = RecordWithFiles


class AnybodyMay(BasePermissionPolicy):
    """Permissions of no interest."""

    can_get_content_files = can_create_files = can_set_content_files = can_commit_files = (
        AnyUser(),
    )


class ServiceConfig(FileServiceConfig):
    """The service of the files."""

    service_id = "test-downloads-files"
    record_cls = RecordWithFiles
    permission_policy_cls = AnybodyMay


class ResourceConfig(FileResourceConfig):
    """The routes of the files."""

    blueprint_name = "test-downloads-files"
    url_prefix = "/downloads-records/<pid_value>"


def mount(app):
    """Register the routes in an application that may have answered already."""
    app._got_first_request = False
    service = FileService(ServiceConfig)
    app.register_blueprint(FileResource(ResourceConfig, service).as_blueprint())
    return service
