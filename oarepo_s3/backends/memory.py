# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A store in memory, for tests of code that uses uploads: yours and this project's.

It keeps the rules that matter to a caller (part sizes, ETags, gone uploads, exact part lists) and
lets a test make any call fail. Locations have URIs such as ``memory://bucket``; all stores of one
bucket name share their content until :func:`forget` is called.
"""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import RLock

from ..core.checksums import composite_etag
from ..core.digests import Digest, compute
from ..core.errors import StoreError, StoreMisconfigured, StorePartsRejected, StoreUploadGone
from ..core.parts import UploadedPart
from ..core.planning import MIB
from ..core.times import utcnow
from .base import Form, ObjectInfo, OpenUpload, PartPage, PartSigner
from .config import StoreConfig
from .operators import ListedObject
from .profiles import Profile

MIN_PART_SIZE = 5 * MIB
"""As on S3: every part but the last has at least this many bytes."""

READ_SIZE = MIB
"""Bytes that are read of an object at a time."""


@dataclass(slots=True)
class _Upload:
    key: str
    content_type: str | None
    metadata: Mapping[str, str]
    checksum: str | None = None
    parts: dict[int, bytes] = field(default_factory=dict)
    initiated: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class _Object:
    content: bytes
    info: ObjectInfo
    modified: datetime = field(default_factory=utcnow)


@dataclass(slots=True)
class _Bucket:
    uploads: dict[str, _Upload] = field(default_factory=dict)
    objects: dict[str, _Object] = field(default_factory=dict)
    faults: dict[str, list[tuple[StoreError, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    calls: list[str] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    lock: RLock = field(default_factory=RLock)


_buckets: dict[str, _Bucket] = defaultdict(_Bucket)


def forget() -> None:
    """Drop all buckets, so that a test starts empty."""
    _buckets.clear()


class MemoryStore:
    """An :class:`~oarepo_s3.backends.base.ObjectStore` without a server.

    :param bucket: name; the content is shared by all stores of that name.
    :param config: taken for the back ends' common signature, not used.
    """

    profile = Profile(
        "memory",
        object_checksums=frozenset({"crc32"}),
        part_checksums=frozenset({"md5", "crc32"}),
        forms=True,
    )

    def __init__(self, bucket: str, config: StoreConfig | None = None) -> None:
        self.bucket = bucket

    @property
    def _content(self) -> _Bucket:
        return _buckets[self.bucket]

    @property
    def calls(self) -> list[str]:
        """Names of the calls so far, in order."""
        return self._content.calls

    @property
    def uploads(self) -> Mapping[str, str]:
        """Keys of the open multipart uploads, by upload id."""
        return {upload_id: upload.key for upload_id, upload in self._content.uploads.items()}

    def fail(self, call: str, error: StoreError, *, after: bool = False) -> None:
        """Let the next call of a method raise; with ``after`` only once it has done its work."""
        self._content.faults[call].append((error, after))

    def put_part(self, url: str, content: bytes) -> str:
        """Do what a client does with a part URL; return the ETag.

        :raises StoreUploadGone: when the upload is not open.
        :raises StorePartsRejected: when the URL was signed for other content.
        """
        upload_id, _, fragment = url.removeprefix("memory://").partition("#")
        part, _, signed = fragment.partition("!")
        if signed and str(compute(signed.partition(":")[0], [content])) != signed:
            raise StorePartsRejected(reason="BadDigest")
        with self._content.lock:
            self._upload(upload_id).parts[int(part)] = content
        return hashlib.md5(content, usedforsecurity=False).hexdigest()

    def post_form(self, form: Form, content: bytes) -> None:
        """Do what a client does with a form.

        :raises StorePartsRejected: for content of another size.
        """
        if len(content) != int(form.fields["size"]):
            raise StorePartsRejected(reason="EntityTooLarge")
        info = ObjectInfo(len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
        with self._content.lock:
            self._content.objects[form.fields["key"]] = _Object(content, info)

    def read(self, key: str) -> bytes:
        """Return an object's content, for a test to look at.

        :raises KeyError: when there is none.
        """
        return self._content.objects[key].content

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
            self._content.uploads[upload_id] = _Upload(key, content_type, dict(metadata), checksum)
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
            self._content.objects[upload.key] = _Object(whole, info)
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

    def copy_part(self, key: str, upload_id: str, part: int, *, source: str) -> bool:
        """Make an object a part of an open upload; False when there is no such object."""
        with self._content.lock, self._call("copy_part"):
            upload = self._upload(upload_id, key)
            if source not in self._content.objects:
                return False
            upload.parts[part] = self._content.objects[source].content
            return True

    def _upload(self, upload_id: str, key: str | None = None) -> _Upload:
        """Return an open upload; as on S3, its id is worth nothing with another key."""
        upload = self._content.uploads.get(upload_id)
        if upload is None or key not in (None, upload.key):
            raise StoreUploadGone(reason="NoSuchUpload")
        return upload

    @contextmanager
    def _call(self, name: str) -> Iterator[None]:
        """Record the call and raise what a test asked for, before or after the work."""
        self._content.calls.append(name)
        faults = self._content.faults[name]
        if faults and not faults[0][1]:
            raise faults.pop(0)[0]
        yield
        if faults:
            raise faults.pop(0)[0]


def _part(number: int, upload: _Upload) -> UploadedPart:
    content = upload.parts[number]
    etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
    own = compute(upload.checksum, [content]) if upload.checksum else None
    return UploadedPart(number, len(content), etag, own)
