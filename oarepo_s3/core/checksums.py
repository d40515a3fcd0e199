# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The checksum of an object: what the store can vouch for without reading it again.

That of an upload is written ``multipart:<etag>-<part_size>``, the form that records-resources uses:
the ETag alone cannot be computed again by somebody who does not know where the file was cut.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

PREFIX = "multipart:"
ETAG = "etag:"
"""How the checksum of an object begins that others have put into the store: its ETag follows, of
which only the store can say how it was made."""

_COMPOSITE = re.compile(r"[0-9a-f]{32}-[0-9]+\Z")
_MD5 = re.compile(r"[0-9a-f]{32}\Z")
_PART_SIZE = re.compile(r"[0-9]{1,19}\Z")


def strip_etag(etag: str) -> str:
    """Return an ETag without the quotes that HTTP puts around it (some stores leave them out)."""
    return etag.strip().removeprefix("W/").strip('"')


@dataclass(frozen=True, slots=True)
class MultipartChecksum:
    """An ETag and the part size in bytes that it belongs to."""

    etag: str
    part_size: int

    @classmethod
    def parse(cls, checksum: str | None) -> MultipartChecksum | None:
        """Read ``multipart:<etag>-<part_size>``; any other checksum gives None."""
        if not checksum or not checksum.startswith(PREFIX):
            return None
        etag, separator, part_size = checksum.removeprefix(PREFIX).rpartition("-")
        if not (separator and etag and _PART_SIZE.match(part_size)):
            return None
        return cls(etag, int(part_size))

    def __str__(self) -> str:
        return f"{PREFIX}{self.etag}-{self.part_size}"

    @property
    def is_composite(self) -> bool:
        """Whether the ETag has the form that AWS, Ceph and MinIO give to a multipart object."""
        return bool(_COMPOSITE.match(self.etag))

    @property
    def is_md5(self) -> bool:
        """Whether the ETag has the form of the MD5 of the whole content (rclone's store)."""
        return bool(_MD5.match(self.etag))


def composite_etag(part_digests: Iterable[bytes]) -> str:
    """Return the ETag of a multipart object: MD5 over its parts' binary MD5s, a dash, their number.

    Source: "Checking object integrity", S3 User Guide; measured equal on Ceph and MinIO.
    """
    digests = list(part_digests)
    outer = hashlib.md5(b"".join(digests), usedforsecurity=False)
    return f"{outer.hexdigest()}-{len(digests)}"


def is_etag_of(md5: bytes, etag: str) -> bool:
    """Whether an ETag proves that the content has this MD5.

    It does in two forms: as the MD5 itself, which rclone's store gives to every object, and as that
    of an object of a single part. Of more parts an ETag says nothing about the whole.
    """
    return etag in (md5.hex(), composite_etag([md5]))
