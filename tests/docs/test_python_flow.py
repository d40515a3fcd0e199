# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The ways to begin an upload in Python work as README and documentation print them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import pytest
from invenio_files_rest.models import Bucket

from oarepo_s3.services import abort_upload, get_upload
from oarepo_s3.signals import after_upload_complete

from .pages import ROOT, blocks, run

PYTHON_FLOW = "docs/howto/python-flow.md"


@pytest.fixture
def drop() -> Iterator[Any]:
    """Abort the uploads that a block has begun: call it with each."""
    begun: list[Any] = []
    yield begun.append
    for upload in begun:
        abort_upload(get_upload(UUID(upload.session.id)))


@pytest.fixture
def record(location) -> Any:
    """A record of invenio-records-files with a bucket."""
    from invenio_records_files.api import Record

    return Record.create({})


class FileRecord(dict[str, Any]):
    """What records-resources' manager of files needs of a record of a file."""

    @classmethod
    def create(cls, data: Any, **kwargs: Any) -> FileRecord:
        return cls(data)

    @classmethod
    def get_by_key(cls, record_id: Any, key: str) -> None:
        """There is none in the database."""

    def commit(self) -> None:
        """Nothing to write."""


@pytest.fixture
def draft(bucket) -> Any:
    """A record whose files are managed by invenio-records-resources."""
    from invenio_records_resources.records.systemfields.files import FilesManager

    made = SimpleNamespace(id=uuid4(), bucket=bucket)
    options = {"bucket_attr": "bucket"}
    made.files = FilesManager(made, file_cls=FileRecord, bucket=bucket, entries={}, options=options)
    return made


def test_the_python_flow_of_the_readme_opens_an_upload(record, store, drop):
    upload = run("README.md", "python", record=record)["upload"]
    drop(upload)
    assert upload.session.num_parts == 3200
    assert upload.session.part_urls[0].startswith(f"{store.endpoint_url}/{store.bucket}/")
    assert upload.session.complete_url.endswith(f"/multipart-uploads/{upload.session.id}/complete")
    assert not record.files["data.bin"].obj.file.readable


def test_every_way_of_assigning_opens_an_upload(record, draft, location, person, drop):
    names: dict[str, Any] = {"record": record, "draft": draft, "uploader_id": person().user_id}
    names["bucket"] = Bucket.create(location=location)
    sizes = []
    for number, body in enumerate(blocks(PYTHON_FLOW, "python")):
        exec(compile(body, f"{PYTHON_FLOW}, block {number}", "exec"), names)
        if "MultipartUpload(" in body:
            drop(names["upload"])
            sizes.append(names["upload"].session.size)
    after_upload_complete.disconnect(names["index_file"])
    assert sizes == [50 * 2**30, 12_000_000, 12_000_000]
    assert get_upload(UUID(names["upload"].session.id)).user_id == names["uploader_id"]


def test_every_name_of_a_session_is_listed(record, drop):
    upload = run("README.md", "python", record=record)["upload"]
    drop(upload)
    page = (ROOT / PYTHON_FLOW).read_text()
    assert [name for name in upload.session if f"`{name}`" not in page] == []
