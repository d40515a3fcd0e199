# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Object URIs: ``scheme://bucket/key``, as invenio-files-rest stores them."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import InvalidLocation


@dataclass(frozen=True, slots=True)
class ObjectURI:
    """The address of one object: which back end, which bucket, which key.

    The key is plain text, never percent-encoded: encoding belongs to the wire.
    """

    scheme: str
    bucket: str
    key: str

    @classmethod
    def parse(cls, uri: str) -> ObjectURI:
        """Split a URI such as ``s3://bucket/ab/cd/1234/data``.

        :raises InvalidLocation: when it has no scheme or no bucket.
        """
        scheme, separator, rest = uri.partition("://")
        bucket, _, key = rest.partition("/")
        if not (separator and scheme and bucket):
            raise InvalidLocation(uri=uri)
        return cls(scheme, bucket, key)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.bucket}/{self.key}"
