# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The Python flow: assign a :class:`MultipartUpload` where a stream would go.

::

    upload = MultipartUpload("data.bin", base_uri=location.uri, expires=3600, size=50 * 2**30)
    record.files["data.bin"] = upload
    db.session.commit()
    upload.session.part_urls[0]  # the first part goes there, by PUT
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NoReturn, overload
from uuid import UUID

from flask import current_app

from .core.errors import InvalidRequest
from .core.times import isoformat, utcnow
from .models import Upload
from .services import first_window, sign_parts
from .services.abort import drop_unsaved
from .services.parts import part_signer
from .services.stored import StoredUpload

__all__ = ("MultipartUpload", "PartUrls", "UploadSession")


class MultipartUpload:
    """A file whose bytes go straight to the store.

    Assign it with ``files[key] = upload`` or pass it as ``stream`` to ``ObjectVersion.create``;
    then :attr:`session` says where the parts go.

    :param key: name of the file.
    :param base_uri: URI of the location; the bucket's own location is what counts.
    :param expires: how long the upload may take: seconds, a timedelta, or an aware time at which
        it ends; None for ``OAREPO_S3_UPLOAD_LIFETIME``.
    :param size: bytes of the whole file.
    :param part_size: bytes of a part, as a wish.
    :param num_parts: number of parts, if the file is cut already: then both are taken as they are,
        or refused.
    :param complete_url: where the uploader ends the upload; None for this package's REST API.
    :param abort_url: where the uploader gives up; None for this package's REST API.
    :param content_type: MIME type of the file.
    :param checksum: the client's digest of the whole file, ``algorithm:value``.
    :param user_id: whose upload it is; None for whoever is logged in.
    """

    def __init__(
        self,
        key: str,
        base_uri: str | None = None,
        expires: float | timedelta | datetime | None = None,
        size: int = 0,
        part_size: int | None = None,
        complete_url: str | None = None,
        abort_url: str | None = None,
        content_type: str | None = None,
        checksum: str | None = None,
        user_id: int | None = None,
        num_parts: int | None = None,
    ) -> None:
        self.key = key
        self.base_uri = base_uri
        self.expires = expires
        self.size = size
        self.part_size = part_size
        self.num_parts = num_parts
        self.complete_url = complete_url
        self.abort_url = abort_url
        self.content_type = content_type
        self.checksum = checksum
        self.user_id = user_id
        self.session: UploadSession | None = None
        """What an uploader needs; None until the upload was assigned."""
        self._opened: tuple[UUID, StoredUpload] | None = None

    @property
    def lifetime(self) -> timedelta | None:
        """How long the upload may take, counted from now; None for the configured time.

        :raises InvalidRequest: for an end without a time zone.
        """
        if self.expires is None or isinstance(self.expires, timedelta):
            return self.expires
        if isinstance(self.expires, datetime):
            if self.expires.tzinfo is None:
                raise InvalidRequest(reason="expires needs a time zone")
            return self.expires.astimezone(UTC) - utcnow()
        return timedelta(seconds=self.expires)

    def read(self, *args: Any) -> NoReturn:
        """Refuse: there are no bytes here, only a promise of them.

        File managers take what can be read for a stream, so the method has to exist.

        :raises TypeError: always.
        """
        raise TypeError(
            "A MultipartUpload has no bytes to read. Set"
            " FILES_REST_STORAGE_FACTORY = 'oarepo_s3.storage.s3_storage_factory' and a location"
            " with an s3:// URI, so that the storage opens the upload instead of reading it."
        )

    def opened(self, upload: Upload) -> None:
        """Take the session of the upload that the storage has opened."""
        self._opened = upload.id, StoredUpload.of(upload)
        address = address_of(upload)
        self.session = UploadSession(
            upload, self.complete_url or f"{address}/complete", self.abort_url or address
        )

    def drop_unsaved(self) -> bool:
        """Drop at the store what was opened, after the transaction of the assignment has failed.

        Rolls back what is left of the transaction. A committed upload is not touched.

        :returns: whether there was something to drop.
        :raises StoreError: when the store did not do it; the sweep of orphans will.
        """
        return self._opened is not None and drop_unsaved(*self._opened)


def address_of(upload: Upload) -> str:
    """Return the address of an upload in this package's REST API, from whatever application."""
    api = f"{current_app.config.get('SITE_API_URL') or ''}".rstrip("/")
    return f"{api}{current_app.config['OAREPO_S3_URL_PREFIX']}/{upload.id}"


class PartUrls(Sequence[str]):
    """The URLs of all parts, signed when they are looked at: index 0 is part 1."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload

    def __len__(self) -> int:
        return int(self._upload.num_parts)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        numbers = range(1, len(self) + 1)[index]
        if isinstance(numbers, int):
            return sign_parts(self._upload, [numbers])[0].url
        return [signed.url for signed in sign_parts(self._upload, numbers)]

    def __iter__(self) -> Iterator[str]:
        signer = part_signer(self._upload, utcnow())
        return map(signer.sign, range(1, len(self) + 1))


class UploadSession(Mapping[str, Any]):
    """What an uploader needs, by attribute or by name.

    Next to its own names it answers to those that uploaders written for oarepo-s3 1.x read.
    """

    _names = (
        "id",
        "bucket",
        "key",
        "size",
        "part_size",
        "num_parts",
        "content_type",
        "expires_at",
        "complete_url",
        "abort_url",
        "part_urls",
        "upload_id",
        "chunk_size",
        "num_chunks",
        "parts_url",
        "finish_url",
    )

    def __init__(self, upload: Upload, complete_url: str, abort_url: str) -> None:
        self._upload = upload
        self.id = str(upload.id)
        self.bucket = str(upload.bucket_id)
        self.key = upload.key
        self.size = upload.size
        self.part_size = upload.part_size
        self.num_parts = upload.num_parts
        self.content_type = upload.content_type
        self.expires_at = upload.expires_at
        self.complete_url = complete_url
        self.abort_url = abort_url
        self.part_urls = PartUrls(upload)
        # names of oarepo-s3 1.x
        self.upload_id = self.id
        self.chunk_size = self.part_size
        self.num_chunks = self.num_parts
        self.parts_url = self.part_urls
        self.finish_url = self.complete_url

    def __getitem__(self, name: str) -> Any:
        if name not in self._names:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def to_dict(self) -> dict[str, Any]:
        """Return it all as JSON can hold it, with the URLs of the first parts only."""
        window = first_window(self._upload)
        urls = [signed.url for signed in sign_parts(self._upload, window)]
        plain = {name: self[name] for name in self._names}
        return {
            **plain,
            "expires_at": isoformat(self.expires_at),
            "part_urls": urls,
            "parts_url": urls,
        }
