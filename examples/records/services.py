# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The services: records with their drafts, files of drafts, and files of records.

No search server is needed: a service without an indexer indexes nothing, and :mod:`.resources`
has no routes that search.
"""

from __future__ import annotations

from typing import Any

from invenio_drafts_resources.services.records import RecordService, RecordServiceConfig
from invenio_drafts_resources.services.records.components import (
    DraftFilesComponent,
    DraftMetadataComponent,
    PIDComponent,
    ServiceComponent,
)
from invenio_drafts_resources.services.records.config import is_draft, is_record
from invenio_drafts_resources.services.records.schema import RecordSchema
from invenio_records_resources.services import (
    ConditionalLink,
    FileService,
    FileServiceConfig,
    RecordEndpointLink,
)
from invenio_records_resources.services.files.components import (
    FileContentComponent,
    FileMetadataComponent,
)
from invenio_records_resources.services.files.links import FileEndpointLink
from marshmallow import Schema, fields

from .permissions import PermissionPolicy
from .records import Draft, Record


class MetadataSchema(Schema):
    """What one says about a record."""

    title = fields.Str(required=True)


class DataSchema(RecordSchema):
    """A record, as clients see it."""

    metadata = fields.Nested(MetadataSchema, required=True)


class OwnerComponent(ServiceComponent):
    """Writes down whose a draft is."""

    def create(self, identity: Any, record: Any = None, **kwargs: Any) -> None:
        """Give a new draft to whoever makes it."""
        record.parent.owner = identity.id


class DataServiceConfig(RecordServiceConfig):
    """The service of records and drafts."""

    service_id = "example-records"
    permission_policy_cls = PermissionPolicy
    record_cls = Record
    draft_cls = Draft
    schema = DataSchema
    components = [DraftMetadataComponent, OwnerComponent, DraftFilesComponent, PIDComponent]
    links_item = {
        "self": ConditionalLink(
            cond=is_record,
            if_=RecordEndpointLink("example_records.read"),
            else_=RecordEndpointLink("example_records.read_draft"),
        ),
        "files": ConditionalLink(
            cond=is_record,
            if_=RecordEndpointLink("example_files.search"),
            else_=RecordEndpointLink("example_draft_files.search"),
        ),
        "publish": RecordEndpointLink("example_records.publish", when=is_draft),
    }


class DataService(RecordService):
    """Records and drafts, without an index."""

    indexer = None
    """Operations of the unit of work leave the index alone when they get no indexer."""

    draft_indexer = None


class FilesConfig(FileServiceConfig):
    """What the two services of files have in common."""

    permission_policy_cls = PermissionPolicy
    # The component of processors is left out: its task would read images and ZIP files from the
    # store. Keep it if you want what it finds, but then bytes come through a worker.
    components = [FileMetadataComponent, FileContentComponent]
    file_processors = []
    file_extractors = []
    # An archive is made of bytes that come through Invenio.
    allow_archive_download = False


class DraftFilesConfig(FilesConfig):
    """The service of the files of drafts; here uploads begin and end."""

    service_id = "draft-example-files"
    record_cls = Draft
    # The actions of the policy are then can_draft_create_files, and so on.
    permission_action_prefix = "draft_"
    file_links_list = {"self": RecordEndpointLink("example_draft_files.search")}
    file_links_item = {
        "self": FileEndpointLink("example_draft_files.read", params=["pid_value", "key"]),
        "content": FileEndpointLink(
            "example_draft_files.read_content", params=["pid_value", "key"]
        ),
        "commit": FileEndpointLink(
            "example_draft_files.create_commit", params=["pid_value", "key"]
        ),
    }


class RecordFilesConfig(FilesConfig):
    """The service of the files of published records: they are only read."""

    service_id = "example-files"
    record_cls = Record
    allow_upload = False
    file_links_list = {"self": RecordEndpointLink("example_files.search")}
    file_links_item = {
        "self": FileEndpointLink("example_files.read", params=["pid_value", "key"]),
        "content": FileEndpointLink("example_files.read_content", params=["pid_value", "key"]),
    }


def make_service() -> DataService:
    """Return the service of records, with those of their files."""
    return DataService(
        DataServiceConfig,
        files_service=FileService(RecordFilesConfig),
        draft_files_service=FileService(DraftFilesConfig),
    )
