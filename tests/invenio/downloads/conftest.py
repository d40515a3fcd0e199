# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A real server and files to download.

By real connections: what a HEAD says of its length could get lost in between.
"""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from flask import Blueprint, request
from invenio_db import db
from invenio_files_rest.models import ObjectVersion
from invenio_records_files.api import FilesIterator

from tests.serving import served

from ..test_records import Record
from .doors import CONTENT
from .file_service import mount


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """Let everybody read everything; other tests are about who may.

    ``place`` is named, because pytest does not look for parameters behind an overridden fixture.
    """
    app_config["FILES_REST_PERMISSION_FACTORY"] = lambda obj, action: None
    return app_config


@pytest.fixture(scope="module")
def server(app) -> Iterator[str]:
    """The address of a real server of the REST API, with the routes of records."""
    mount(app)
    views = Blueprint("test_downloads", __name__)

    @views.route("/files-of-a-record/<uuid:version_id>")
    def file_of_a_record(version_id):
        """Answer as a view of invenio-records-files does."""
        version = db.session.get(ObjectVersion, version_id)
        files = FilesIterator(Record(), bucket=version.bucket)
        return files[version.key].send_file(
            restricted="public" not in request.args,
            trusted="trusted" in request.args,
            as_attachment="download" in request.args,
        )

    app.register_blueprint(views)
    with served(app) as address:
        yield address


@pytest.fixture
def stream(bucket):
    """Save a file that was sent through the server."""

    def save(key, content=CONTENT, mimetype=None):
        version = ObjectVersion.create(bucket, key, stream=io.BytesIO(content))
        if mimetype:
            version.mimetype = mimetype
        db.session.commit()
        return version

    return save
