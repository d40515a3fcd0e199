# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The REST API: /records, and files below /records/<pid>/draft/files and /records/<pid>/files."""

from __future__ import annotations

from typing import Any

from flask_resources import route
from invenio_drafts_resources.resources import RecordResource, RecordResourceConfig
from invenio_records_resources.resources.files import FileResource, FileResourceConfig

from .services import DataService


class DataResourceConfig(RecordResourceConfig):
    """Where records and drafts are."""

    blueprint_name = "example_records"
    url_prefix = "/records"


class DataResource(RecordResource):
    """Records and drafts, without the routes that need a search server."""

    def create_url_rules(self) -> list[dict[str, Any]]:
        """Return the routes."""
        routes = {
            name: f"{self.config.url_prefix}{rule}" for name, rule in self.config.routes.items()
        }
        return [
            route("POST", routes["list"], self.create),
            route("GET", routes["item"], self.read),
            route("POST", routes["item-versions"], self.new_version),
            route("GET", routes["item-draft"], self.read_draft),
            route("POST", routes["item-draft"], self.edit),
            route("PUT", routes["item-draft"], self.update_draft),
            route("DELETE", routes["item-draft"], self.delete_draft),
            route("POST", routes["item-publish"], self.publish),
            # It negotiates the content by itself.
            route("POST", routes["item-files-import"], self.import_files, apply_decorators=False),
        ]


class FilesResourceConfig(FileResourceConfig):
    """Where files of published records are."""

    blueprint_name = "example_files"
    # Left out: parts that are sent through Invenio, and what is inside of archives.
    routes = {
        name: FileResourceConfig.routes[name]
        for name in ("list", "item", "item-content", "item-commit")
    }


class DraftFilesResourceConfig(FilesResourceConfig):
    """Where files of drafts are."""

    blueprint_name = "example_draft_files"
    url_prefix = "/records/<pid_value>/draft"


def make_blueprints(service: DataService) -> list[Any]:
    """Return the blueprints of the API."""
    return [
        DataResource(DataResourceConfig, service).as_blueprint(),
        FileResource(FilesResourceConfig, service.files).as_blueprint(),
        FileResource(DraftFilesResourceConfig, service.draft_files).as_blueprint(),
    ]
