# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a store has to be able to do, and the optional rest.

One small protocol that every back end has, and one protocol per capability that some have. A
caller that needs a capability asks ``isinstance(store, PresignsParts)``. All methods raise the
:class:`~oarepo_s3.core.errors.StoreError` family and nothing of a vendor's library.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

from ..core.digests import Digest
from ..core.parts import UploadedPart
from .profiles import Profile


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """What a HEAD says of an object: size in bytes, ETag without quotes, user metadata.

    ``etag_is_digest`` is False where the store says that the content is encrypted in a way that
    makes the ETag something else than a digest of the content. ``checksum`` is the checksum of the
    whole content as the store computed it, where it keeps one.
    """

    size: int
    etag: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    content_type: str | None = None
    etag_is_digest: bool = True
    checksum: Digest | None = None


@dataclass(frozen=True, slots=True)
class PartPage:
    """Some of an upload's parts, by number, and whether more follow."""

    parts: Sequence[UploadedPart]
    more: bool


@runtime_checkable
class ObjectStore(Protocol):
    """One bucket at one store, seen by the server."""

    @property
    def profile(self) -> Profile:
        """What the store can do beyond this protocol."""
        ...

    def create_upload(
        self,
        key: str,
        *,
        content_type: str | None,
        metadata: Mapping[str, str],
        checksum: str | None = None,
    ) -> str:
        """Open a multipart upload and return the store's id of it.

        :param checksum: algorithm of the profile's ``object_checksums`` in which the store shall
            keep checksums of the parts and of the whole.
        """
        ...

    def list_parts(
        self, key: str, upload_id: str, *, after: int = 0, limit: int = 1000
    ) -> PartPage:
        """Return uploaded parts with a number above ``after``, at most ``limit`` (1..1000).

        :raises StoreUploadGone: when the store does not know the upload.
        """
        ...

    def complete_upload(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[UploadedPart],
        *,
        checksum: Digest | None = None,
    ) -> None:
        """Assemble the object from exactly these parts.

        :param checksum: what the whole has to have, in the algorithm that the upload was opened
            with; a store may refuse to make any other object.
        :raises StorePartsRejected: when the store refuses the list; the upload still stands.
        :raises StoreUploadGone: when the store does not know the upload (any more).
        """
        ...

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Drop an upload and its parts; one that is gone already is no error."""
        ...

    def find_uploads(self, key: str) -> Sequence[str]:
        """Return the ids of the open uploads of exactly this key."""
        ...

    def head(self, key: str) -> ObjectInfo | None:
        """Describe an object, or return None when there is none."""
        ...

    def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        ...


@dataclass(frozen=True, slots=True)
class PartSigner:
    """Signs URLs for the parts of one upload; made once, called per part.

    ``sign_checked`` signs a URL that takes nothing but a part with this digest, and returns the
    headers that have to be sent with it as well.
    """

    sign: Callable[[int], str]
    expires_in: timedelta
    sign_checked: Callable[[int, Digest], tuple[str, Mapping[str, str]]]


@runtime_checkable
class PresignsParts(Protocol):
    """A store to which a client can send parts by a URL alone."""

    def part_signer(self, key: str, upload_id: str, *, lifetime: timedelta) -> PartSigner:
        """Return a signer of part URLs that live at most ``lifetime`` (never over 7 days)."""
        ...


@dataclass(frozen=True, slots=True)
class Form:
    """A form that sends one object, by a POST of ``multipart/form-data`` to an address.

    The signed fields are a right in themselves: they are left out of the repr, and so of logs.

    :param url: where the form goes.
    :param fields: what it has before its last field, ``file``.
    """

    url: str
    fields: Mapping[str, str] = field(repr=False)
    expires_in: timedelta


@dataclass(frozen=True, slots=True)
class ByteRange:
    """A piece of an object: numbers of its first and its last byte, from 0."""

    first: int
    last: int


@runtime_checkable
class TakesForms(Protocol):
    """A store to which a client can send an object by a form, and that makes a part of an object.

    Whether a store of its kind really does, its profile says.
    """

    def presign_form(self, key: str, *, size: int, lifetime: timedelta) -> Form:
        """Return a form that makes an object with this very key and of this very size.

        :param size: bytes; the store refuses any other number of them.
        :param lifetime: how long it works at most; never over 7 days.
        """
        ...

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
        """Make an object a part of an open upload; False when there is no such object.

        :param source: key of the object, which stays.
        :param span: the piece of it; None for all.
        :param etag: that the object has to have. Some stores do not look (RGW 16.2, measured): who
            copies several pieces has to see whether it is still the same object afterwards.
        :raises StorePreconditionFailed: when the object has another ETag.
        :raises StoreUploadGone: when the store does not know the upload.
        """
        ...


@runtime_checkable
class PresignsDownloads(Protocol):
    """A store from which a client can fetch an object by a URL alone."""

    def presign_download(
        self,
        key: str,
        *,
        lifetime: timedelta,
        content_type: str | None = None,
        content_disposition: str | None = None,
        cache_control: str | None = None,
    ) -> str:
        """Return a URL that answers GET, and GET alone, with the object and the given headers."""
        ...

    def download_lifetime(self, wanted: timedelta) -> timedelta:
        """Return how long a URL lives that is made now and wanted for so long.

        Temporary credentials that end earlier shorten it; whoever lets others keep a URL for a
        while has to know.
        """
        ...


@runtime_checkable
class StreamsObjects(Protocol):
    """A store whose objects the server can read, piece by piece."""

    def stream(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Yield an object's content from a byte on.

        :param start: number of the first byte, from 0.
        """
        ...


@dataclass(frozen=True, slots=True)
class OpenUpload:
    """A multipart upload as a store lists it; ``initiated`` is an aware time."""

    key: str
    upload_id: str
    initiated: datetime


@runtime_checkable
class ListsUploads(ObjectStore, Protocol):
    """A store that can tell of all multipart uploads that are open, whoever began them."""

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        """Yield the open uploads whose keys begin with ``prefix``, page by page.

        Some stores (MinIO) answer with an empty list instead of an error unless the prefix is a
        whole key: a caller has to find out whether a list can be trusted.
        """
        ...
