# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a bucket holds, objects and open uploads: to be listed, and to be removed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import islice

from botocore.exceptions import ClientError, ConnectTimeoutError

from ..core.checksums import strip_etag
from ..core.errors import StoreFault, StoreUploadGone
from .base import OpenUpload
from .operators import ListedObject
from .s3_connection import S3Connection
from .translate import store_errors

PAGE = 1000
"""The most that S3 lists, or deletes, in one call."""

_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What a key may have and XML 1.0 may not (its section 2.2): a list of keys to delete is XML."""


class S3Contents(S3Connection):
    """The objects and the open uploads of a bucket."""

    def find_uploads(self, key: str) -> Sequence[str]:
        """Return the ids of the open uploads of exactly this key."""
        return [upload.upload_id for upload in self.list_uploads(key) if upload.key == key]

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        """Yield the open uploads whose keys begin with ``prefix``, page by page.

        rclone 1.75 answers NoSuchUpload for an empty list (measured).
        """
        with suppress(StoreUploadGone), self._call():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=prefix
            )
            for page in pages:
                for upload in page.get("Uploads", []):
                    yield OpenUpload(upload["Key"], str(upload["UploadId"]), upload["Initiated"])

    def list_objects(self, prefix: str, *, after: str = "") -> Iterator[ListedObject]:
        """Yield the objects whose keys begin with ``prefix``, by the UTF-8 bytes of their keys.

        The SDK asks the store to percent-encode the keys, and decodes them: not every key can stand
        in XML. But stores repeat in their answer as it is where they were told to begin. So they
        are told the piece of the key that XML can carry, which is before it.

        :param after: a key; only those that follow it come.
        """
        start = _NOT_XML.split(after, maxsplit=1)[0]
        optional = {"StartAfter": start} if start else {}
        with self._call():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=prefix, MaxKeys=PAGE, **optional
            )
            for page in pages:
                for found in page.get("Contents", []):
                    key, etag = found["Key"], strip_etag(found["ETag"])
                    if key.encode() > after.encode():
                        yield ListedObject(key, found["Size"], etag, found["LastModified"])

    def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        with self._call():
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Drop an upload and its parts; one that is gone already is no error."""
        with suppress(StoreUploadGone), self._call(in_upload=True):
            self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)

    def erase(self) -> Iterator[int]:
        """Remove all objects, all their versions and all open uploads, page by page.

        Yields how many were removed.
        """
        last: list[dict[str, str]] = []
        # Always the first page: not every store goes on well after a key that is gone.
        while page := self._some_versions():
            if page == last:
                raise StoreFault(reason="objects were still there after they were deleted")
            self._delete_many(page)
            yield len(page)
            last = page
        uploads = self.list_uploads("")
        while found := list(islice(uploads, PAGE)):
            for upload in found:
                self.abort_upload(upload.key, upload.upload_id)
            yield len(found)

    def _some_versions(self) -> list[dict[str, str]]:
        """Return what names the first versions of objects; a store without versions has objects."""
        with self._call():
            try:
                page = self._client.list_object_versions(Bucket=self.bucket, MaxKeys=PAGE)
            except ClientError as error:
                if error.response["Error"]["Code"] != "NotImplemented":
                    raise
                found = self._client.list_objects_v2(Bucket=self.bucket, MaxKeys=PAGE)
                return [{"Key": one["Key"]} for one in found.get("Contents", [])]
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            return [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in versions]

    def _delete_many(self, named: Sequence[dict[str, str]]) -> None:
        """Delete up to 1,000 versions of objects."""
        listed = [one for one in named if not _NOT_XML.search(one["Key"])]
        # Deleting many may take long: that is not silence.
        with store_errors(), self._breaker.guard(ConnectTimeoutError):
            if listed:
                answer = self._clients.complete.delete_objects(
                    Bucket=self.bucket, Delete={"Objects": listed, "Quiet": True}
                )
                for error in answer.get("Errors", []):
                    raise ClientError({"Error": error}, "DeleteObjects")
            for one in named:
                if one not in listed:
                    self._client.delete_object(Bucket=self.bucket, **one)
