# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A store in memory, for tests of code that uses uploads: yours and this project's.

It keeps the rules that matter to a caller (part sizes, ETags, gone uploads, exact part lists) and
lets a test make any call fail. Locations have URIs such as ``memory://bucket``; all stores of one
bucket name share their content until :func:`forget` is called.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from ..core.checksums import composite_etag
from ..core.credentials import Credentials
from ..core.digests import Digest, compute
from ..core.errors import (
    StoreMisconfigured,
    StorePartsRejected,
    StorePreconditionFailed,
    StoreUploadGone,
)
from ..core.parts import UploadedPart
from ..core.planning import MIB
from ..core.times import utcnow
from .base import ByteRange, Form, ObjectInfo, OpenUpload, PartPage, PartSigner
from .memory_bucket import KeptObject, KeptUpload, MemoryBucket, forget
from .operators import Address, ListedObject
from .profiles import Profile

__all__ = ("MemoryStore", "forget")

MIN_PART_SIZE = 5 * MIB
"""As on S3: every part but the last has at least this many bytes."""

READ_SIZE = MIB
"""Bytes that are read of an object at a time."""


class MemoryStore(MemoryBucket):
    """A store in the memory of one process, for tests: without a server, and soon forgotten.

    :param bucket: name; the content is shared by all stores of that name.
    :param config: taken for the back ends' common signature, not used.
    """

    profile = Profile(
        "memory",
        object_checksums=frozenset({"crc32"}),
        part_checksums=frozenset({"md5", "crc32"}),
        forms=True,
    )

    def create_upload(
        self,
        key: str,
        *,
        content_type: str | None,
        metadata: Mapping[str, str],
        checksum: str | None = None,
    ) -> str:
        """Open a multipart upload and return its id."""
        with self._content.lock, self._call("create_upload"):
            upload_id = f"upload-{next(self._content.numbers)}"
            self._content.uploads[upload_id] = KeptUpload(
                key, content_type, dict(metadata), checksum
            )
            return upload_id

    def list_parts(
        self, key: str, upload_id: str, *, after: int = 0, limit: int = 1000
    ) -> PartPage:
        """Return uploaded parts with a number above ``after``."""
        with self._content.lock, self._call("list_parts"):
            upload = self._upload(upload_id, key)
            numbers = sorted(number for number in upload.parts if number > after)
            return PartPage(
                [_part(number, upload) for number in numbers[:limit]],
                more=len(numbers) > limit,
            )

    def complete_upload(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[UploadedPart],
        *,
        checksum: Digest | None = None,
    ) -> None:
        """Assemble the object from exactly these parts."""
        with self._content.lock, self._call("complete_upload"):
            upload = self._upload(upload_id, key)
            if not parts:
                raise StorePartsRejected(reason="MalformedXML")
            found = [_part(number, upload) for number in sorted(upload.parts)]
            if [(p.part, p.etag) for p in parts] != [(p.part, p.etag) for p in found]:
                raise StorePartsRejected(reason="InvalidPart")
            if any(part.size < MIN_PART_SIZE for part in found[:-1]):
                raise StorePartsRejected(reason="EntityTooSmall")
            contents = [upload.parts[number] for number in sorted(upload.parts)]
            whole = b"".join(contents)
            own = compute(upload.checksum, contents) if upload.checksum else None
            if checksum and checksum != own:
                raise StorePartsRejected(reason="BadDigest")
            etag = composite_etag(
                hashlib.md5(content, usedforsecurity=False).digest() for content in contents
            )
            info = ObjectInfo(len(whole), etag, upload.metadata, upload.content_type, checksum=own)
            self._content.objects[upload.key] = KeptObject(whole, info)
            del self._content.uploads[upload_id]

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Drop an upload and its parts; one that is gone already is no error."""
        with self._content.lock, self._call("abort_upload"), suppress(StoreUploadGone):
            self._upload(upload_id, key)
            del self._content.uploads[upload_id]

    def find_uploads(self, key: str) -> Sequence[str]:
        """Return the ids of the open uploads of exactly this key."""
        with self._content.lock, self._call("find_uploads"):
            return [i for i, upload in self._content.uploads.items() if upload.key == key]

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        """Yield the open uploads whose keys begin with ``prefix``."""
        with self._content.lock, self._call("list_uploads"):
            found = [
                OpenUpload(upload.key, upload_id, upload.initiated)
                for upload_id, upload in self._content.uploads.items()
                if upload.key.startswith(prefix)
            ]
        yield from found

    def list_objects(self, prefix: str, *, after: str = "") -> Iterator[ListedObject]:
        """Yield the objects whose keys begin with ``prefix``, by the UTF-8 bytes of their keys."""
        with self._content.lock, self._call("list_objects"):
            found = [
                ListedObject(key, stored.info.size, stored.info.etag, stored.modified)
                for key, stored in self._content.objects.items()
                if key.startswith(prefix) and key.encode() > after.encode()
            ]
        yield from sorted(found, key=lambda listed: listed.key.encode())

    def head(self, key: str) -> ObjectInfo | None:
        """Describe an object, or return None when there is none."""
        with self._content.lock, self._call("head"):
            found = self._content.objects.get(key)
            return found.info if found else None

    def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        with self._content.lock, self._call("delete"):
            self._content.objects.pop(key, None)

    def stream(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Yield an object's content from a byte on."""
        with self._content.lock, self._call("stream"):
            if key not in self._content.objects:
                raise StoreMisconfigured(reason="NoSuchKey")
            content = self._content.objects[key].content
        for begin in range(start, len(content), READ_SIZE):
            yield content[begin : begin + READ_SIZE]

    def part_signer(self, key: str, upload_id: str, *, lifetime: timedelta) -> PartSigner:
        """Return a signer of URLs that :meth:`put_part` understands."""

        def sign(part: int) -> str:
            return f"memory://{upload_id}#{part}"

        def sign_checked(part: int, digest: Digest) -> tuple[str, Mapping[str, str]]:
            return f"{sign(part)}!{digest}", {}

        return PartSigner(sign, lifetime, sign_checked)

    def presign_form(self, key: str, *, size: int, lifetime: timedelta) -> Form:
        """Return a form that :meth:`post_form` understands."""
        return Form(f"memory://{self.bucket}", {"key": key, "size": str(size)}, lifetime)

    def copy_part(
        self,
        key: str,
        upload_id: str,
        part: int,
        *,
        source: str,
        span: ByteRange | None = None,
        etag: str | None = None,
    ) -> bool:
        """Make an object, or a piece of it, a part of an open upload; False when there is none."""
        with self._content.lock, self._call("copy_part"):
            upload = self._upload(upload_id, key)
            if source not in self._content.objects:
                return False
            found = self._content.objects[source]
            if etag not in (None, found.info.etag):
                raise StorePreconditionFailed(reason="PreconditionFailed")
            whole = found.content
            upload.parts[part] = whole if span is None else whole[span.first : span.last + 1]
            return True

    @property
    def address(self) -> Address:
        """Where keys would be of use."""
        return Address("memory://", "memory", self.bucket)

    def issue_credentials(
        self, *, role: str, session_name: str, policy: Mapping[str, Any], lifetime: timedelta
    ) -> Credentials:
        """Return keys as they look like; :meth:`put_object` asks for none."""
        with self._content.lock, self._call("issue_credentials"):
            number = next(self._content.numbers)
            return Credentials(
                f"temporary-{number}", f"secret-{number}", f"token-{number}", utcnow() + lifetime
            )


def _part(number: int, upload: KeptUpload) -> UploadedPart:
    content = upload.parts[number]
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    own = compute(upload.checksum, [content]) if upload.checksum else None
    return UploadedPart(number, len(content), etag, own)
