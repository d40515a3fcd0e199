# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An S3 store that is tried: with the calls that the server itself never makes."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from dataclasses import dataclass
from typing import Self

from .profiles import Profile
from .s3 import S3Store


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """A version of an object, or the mark of its removal."""

    key: str
    version_id: str


class S3Trial(S3Store):
    """A bucket to which the server sends objects and parts, whether or not clients can reach it."""

    @property
    def endpoint_url(self) -> str:
        """Where the server reaches the store; the SDK knows it for AWS."""
        return str(self._client.meta.endpoint_url)

    def as_if(self, profile: Profile) -> Self:
        """Return the same store with another belief of what it can do, to try that."""
        other = copy(self)
        other.profile = profile
        return other

    def put(self, key: str, content: bytes) -> str | None:
        """Write an object; return the id of its version, where the bucket keeps versions."""
        with self._call():
            answer = self._client.put_object(Bucket=self.bucket, Key=key, Body=content)
            version_id = answer.get("VersionId")
            # That of objects without versions.
            return version_id if version_id != "null" else None

    def put_part(self, key: str, upload_id: str, part: int, content: bytes) -> None:
        """Send a part without a presigned URL."""
        with self._call(in_upload=True):
            self._client.upload_part(
                Bucket=self.bucket, Key=key, UploadId=upload_id, PartNumber=part, Body=content
            )

    def versions(self, prefix: str) -> Iterator[ObjectVersion]:
        """Yield all versions of the objects whose keys begin with ``prefix``, and their marks."""
        with self._call():
            pages = self._client.get_paginator("list_object_versions").paginate(
                Bucket=self.bucket, Prefix=prefix
            )
            for page in pages:
                for found in (*page.get("Versions", ()), *page.get("DeleteMarkers", ())):
                    yield ObjectVersion(found["Key"], found["VersionId"])

    def delete_version(self, version: ObjectVersion) -> None:
        """Remove a version for good."""
        with self._call():
            self._client.delete_object(
                Bucket=self.bucket, Key=version.key, VersionId=version.version_id
            )
