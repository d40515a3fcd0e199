# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Compare the database and the store with the model; what counts is what is committed."""

from __future__ import annotations

from uuid import UUID

import pytest
import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.errors import FileInstanceUnreadableError
from invenio_files_rest.models import Bucket, FileInstance, Location, ObjectVersion

from oarepo_s3.models import Upload

from .model import ENDED, Model


def object_key(uri: str) -> str:
    """Return the key of an object in memory."""
    return uri.removeprefix("memory://rules/")


class Reality:
    """What is true now, read through a connection of its own.

    :param buckets: ids of the buckets, by their name in the model.
    """

    def __init__(self, memory, buckets) -> None:
        self.memory = memory
        self.buckets = buckets
        names = {bucket_id: name for name, bucket_id in buckets.items()}
        with db.engine.connect() as connection:

            def rows(*columns):
                return connection.execute(sa.select(*columns)).all()

            self.bucket_rows = {
                row.id: row
                for row in rows(
                    Bucket.id,
                    Bucket.size,
                    Bucket.quota_size,
                    Bucket.locked,
                    Bucket.deleted,
                    Bucket.default_location,
                )
            }
            self.locations = {row.id for row in rows(Location.id)}
            self.versions = {
                row.version_id: (names[row.bucket_id], row.key, row.file_id, row.is_head)
                for row in rows(
                    ObjectVersion.version_id,
                    ObjectVersion.bucket_id,
                    ObjectVersion.key,
                    ObjectVersion.file_id,
                    ObjectVersion.is_head,
                )
            }
            self.files = {
                row.id: row
                for row in rows(FileInstance.id, FileInstance.size, FileInstance.readable)
            }
            self.uploads = {
                row.id: row
                for row in rows(
                    Upload.id,
                    Upload.state,
                    Upload.reserved,
                    Upload.store_upload_id,
                    Upload.uri,
                    Upload.file_id,
                )
            }

    def check(self, model: Model, leaked: set[str]) -> None:
        """Compare all of it.

        :param leaked: store uploads of assignments that were rolled back, which no row can know.
        """
        self._check_sizes(model)
        self._check_versions(model)
        self._check_uploads(model)
        self._check_store(model, leaked)
        self._check_served()

    def _check_sizes(self, model: Model) -> None:
        for name, bucket_id in self.buckets.items():
            row = self.bucket_rows[bucket_id]
            assert row.size == model.size(name)
            assert row.size == self._counted(model, name) + (
                sum(upload.reserved for upload in self.uploads.values()) if name == "draft" else 0
            )
            assert row.size >= 0
            assert not row.deleted
            assert row.default_location in self.locations
        draft = self.bucket_rows[self.buckets["draft"]]
        assert (draft.quota_size, draft.locked) == (model.quota, model.locked)
        assert draft.size <= draft.quota_size

    def _counted(self, model: Model, bucket: str) -> int:
        counted = {version.version_id for version in model.versions if version.counted}
        return sum(
            self.files[file_id].size
            for version_id, (at, _, file_id, _) in self.versions.items()
            if version_id in counted and at == bucket
        )

    def _check_versions(self, model: Model) -> None:
        assert set(self.versions) == {version.version_id for version in model.versions}
        heads = model.heads()
        for version in model.versions:
            bucket, key, file_id, is_head = self.versions[version.version_id]
            assert (bucket, key) == (version.bucket, version.key)
            assert is_head == (version.version_id in heads)
            assert (file_id is None) == (version.file is None)
            if version.file is not None:
                file = self.files[file_id]
                assert (file.size, file.readable) == (
                    len(version.file.content),
                    version.file.readable,
                )

    def _check_uploads(self, model: Model) -> None:
        assert {row.id: (row.state, row.reserved) for row in self.uploads.values()} == {
            upload.upload_id: (upload.state, upload.reserved) for upload in model.uploads
        }

    def _check_store(self, model: Model, leaked: set[str]) -> None:
        known = {
            row.store_upload_id or object_key(row.uri)
            for row in self.uploads.values()
            if row.state not in ENDED
        }
        for upload_id, key in self.memory.uploads.items():
            assert upload_id in known | leaked or key in known
        for upload in model.uploads:
            expected = upload.content if upload.object_there else None
            assert self._object(upload.upload_id) == expected

    def _object(self, upload_id: UUID) -> bytes | None:
        try:
            return self.memory.read(object_key(self.uploads[upload_id].uri))
        except KeyError:
            return None

    def _check_served(self) -> None:
        for version_id, (_, _, file_id, _) in self.versions.items():
            if file_id is not None and not self.files[file_id].readable:
                with pytest.raises(FileInstanceUnreadableError):
                    db.session.get(ObjectVersion, version_id).send_file()
        db.session.rollback()
