# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A record with files in invenio-records-resources: tables, API, policy, service, routes."""

from __future__ import annotations

from flask_principal import UserNeed
from invenio_db import db
from invenio_files_rest.models import Bucket
from invenio_pidstore.providers.recordid_v2 import RecordIdProviderV2
from invenio_records.models import RecordMetadataBase
from invenio_records.systemfields import ModelField
from invenio_records_permissions import RecordPermissionPolicy
from invenio_records_permissions.generators import Generator, SystemProcess
from invenio_records_resources.records.api import FileRecord as BaseFileRecord
from invenio_records_resources.records.api import Record as BaseRecord
from invenio_records_resources.records.models import FileRecordModelMixin
from invenio_records_resources.records.systemfields import FilesField, PIDField
from invenio_records_resources.resources import FileResource, FileResourceConfig
from invenio_records_resources.services import FileService, FileServiceConfig
from invenio_records_resources.services.files.links import FileEndpointLink
from invenio_records_resources.services.records.links import RecordEndpointLink
from sqlalchemy_utils.types import UUIDType

SERVICE = "test-files"


class RecordTable(db.Model, RecordMetadataBase):
    """Records."""

    __tablename__ = "test_record"

    bucket_id = db.Column(UUIDType, db.ForeignKey(Bucket.id))
    bucket = db.relationship(Bucket)


class FileTable(db.Model, RecordMetadataBase, FileRecordModelMixin):
    """Their files."""

    __tablename__ = "test_record_file"
    __record_model_cls__ = RecordTable


class FileRecord(BaseFileRecord):
    """The file of a record."""

    model_cls = FileTable


class Record(BaseRecord):
    """A record with files."""

    model_cls = RecordTable
    pid = PIDField("id", provider=RecordIdProviderV2)
    bucket_id = ModelField()
    bucket = ModelField(dump=False)
    files = FilesField(store=False, dump=False, file_cls=FileRecord)


FileRecord.record_cls = Record


class Named(Generator):
    """The users whose ids the record lists under a name."""

    def __init__(self, name):
        self.name = name

    def needs(self, record=None, **kwargs):
        return [UserNeed(user_id) for user_id in (record or {}).get(self.name, [])]


EDITORS = [Named("editors"), SystemProcess()]


class Policy(RecordPermissionPolicy):
    """Editors may do everything, readers may look, and nobody else knows of it."""

    can_read_files = [Named("readers"), *EDITORS]
    can_get_content_files = [Named("readers"), *EDITORS]
    can_create_files = EDITORS
    can_update_files = EDITORS
    can_set_content_files = EDITORS
    can_commit_files = EDITORS
    can_delete_files = EDITORS
    can_extract_file_metadata = [SystemProcess()]
    can_get_file_transfer_metadata = [SystemProcess()]
    can_update_file_transfer_metadata = [SystemProcess()]


def link(name, base=FileEndpointLink, params=("pid_value", "key")):
    """A link to one of the routes below."""
    return base(f"test_files.{name}", params=list(params))


class Config(FileServiceConfig):
    """The file service."""

    service_id = SERVICE
    record_cls = Record
    permission_policy_cls = Policy
    file_links_list = {"self": link("search", RecordEndpointLink, ["pid_value"])}
    file_links_item = {
        "self": link("read"),
        "content": link("read_content"),
        "commit": link("create_commit"),
    }


class ResourceConfig(FileResourceConfig):
    """Its routes."""

    blueprint_name = "test_files"
    url_prefix = "/test-records/<pid_value>"


def mount(app):
    """Register service and routes; return the service."""
    service = FileService(Config)
    app.extensions["invenio-records-resources"].registry.register(service, SERVICE)
    app._got_first_request = False
    app.register_blueprint(FileResource(ResourceConfig, service).as_blueprint())
    return service


def new_record(*, editors=(), readers=(), **limits):
    """Make a record whose bucket has these limits, such as ``quota_size``."""
    record = Record.create(
        {"editors": [p.user_id for p in editors], "readers": [p.user_id for p in readers]}
    )
    for name, value in limits.items():
        setattr(record.bucket, name, value)
    record.commit()
    db.session.commit()
    return record
