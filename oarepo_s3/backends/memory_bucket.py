# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the store in memory keeps, and what a test does with it."""

from __future__ import annotations

import hashlib
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from threading import RLock

from ..core.digests import compute
from ..core.errors import StoreError, StorePartsRejected, StoreUploadGone
from ..core.times import utcnow
from .base import Form, ObjectInfo
from .config import StoreConfig


@dataclass(slots=True)
class KeptUpload:
    """A multipart upload that is open."""

    key: str
    content_type: str | None
    metadata: Mapping[str, str]
    checksum: str | None = None
    parts: dict[int, bytes] = field(default_factory=dict)
    initiated: datetime = field(default_factory=utcnow)


@dataclass(frozen=True, slots=True)
class KeptObject:
    """An object."""

    content: bytes
    info: ObjectInfo
    modified: datetime = field(default_factory=utcnow)


@dataclass(slots=True)
class KeptBucket:
    """The content of a bucket, and how its next calls shall fail."""

    uploads: dict[str, KeptUpload] = field(default_factory=dict)
    objects: dict[str, KeptObject] = field(default_factory=dict)
    faults: dict[str, list[tuple[StoreError, bool]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    calls: list[str] = field(default_factory=list)
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    lock: RLock = field(default_factory=RLock)


_buckets: dict[str, KeptBucket] = defaultdict(KeptBucket)


def forget() -> None:
    """Drop all buckets, so that a test starts empty."""
    _buckets.clear()


class MemoryBucket:
    """One bucket in memory; all of one name share their content.

    :param bucket: its name.
    :param config: taken for the back ends' common signature, not used.
    """

    def __init__(self, bucket: str, config: StoreConfig | None = None) -> None:
        self.bucket = bucket

    @property
    def _content(self) -> KeptBucket:
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
        self.put_object(form.fields["key"], content)

    def put_object(self, key: str, content: bytes) -> None:
        """Do what a client does with temporary keys."""
        info = ObjectInfo(len(content), hashlib.md5(content, usedforsecurity=False).hexdigest())
        with self._content.lock:
            self._content.objects[key] = KeptObject(content, info)

    def read(self, key: str) -> bytes:
        """Return an object's content, for a test to look at.

        :raises KeyError: when there is none.
        """
        return self._content.objects[key].content

    def _upload(self, upload_id: str, key: str | None = None) -> KeptUpload:
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
