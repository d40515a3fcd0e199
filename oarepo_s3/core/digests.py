# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Digests that a client declares, of a whole file or of a part: read strictly, written one way.

They are written ``algorithm:hex``, as invenio-files-rest writes checksums; base64, as S3 writes
them, is read as well.
"""

from __future__ import annotations

import hashlib
import re
import zlib
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from .errors import InvalidRequest

try:
    import anycrc
except ImportError:
    anycrc = None

LENGTHS = {
    "md5": 16,
    "sha1": 20,
    "sha256": 32,
    "sha512": 64,
    "crc32": 4,
    "crc32c": 4,
    "crc64nvme": 8,
}
"""The algorithms, with the length of their digests in bytes."""


class ChecksumStatus(StrEnum):
    """What is known of a digest that a client declared for a whole file."""

    DECLARED = "declared"
    """Nothing yet: the client's word."""
    VERIFIED = "verified"
    """The content at the store has this digest."""
    MISMATCH = "mismatch"
    """The content at the store has another digest."""


def _written(algorithm: str, length: int) -> str:
    base64 = f"[A-Za-z0-9+/]{{{-(-8 * length // 6)}}}{'=' * (-length % 3)}"
    return f"{algorithm}:([0-9a-fA-F]{{{2 * length}}}|{base64})"


WRITTEN = re.compile(f"({'|'.join(_written(*pair) for pair in LENGTHS.items())})\\Z")
"""How a digest may be written. No digest reads as both: base64 of these lengths ends in ``=``."""


@dataclass(frozen=True, slots=True)
class Digest:
    """An algorithm of :data:`LENGTHS` and the digest itself."""

    algorithm: str
    value: bytes

    @classmethod
    def parse(cls, text: str) -> Digest:
        """Read ``algorithm:value``, the value in hexadecimal digits or in base64.

        :raises InvalidRequest: for another algorithm, or a value that cannot be its digest.
        """
        if not WRITTEN.match(text):
            raise InvalidRequest(
                reason=f"{text[:80]!r} is no checksum such as sha256:..., in hex or base64;"
                f" the algorithms are {', '.join(LENGTHS)}"
            )
        algorithm, _, written = text.partition(":")
        decode = b64decode if written.endswith("=") else bytes.fromhex
        return cls(algorithm, decode(written))

    @property
    def base64(self) -> str:
        """The digest as S3 writes it."""
        return b64encode(self.value).decode()

    def __str__(self) -> str:
        return f"{self.algorithm}:{self.value.hex()}"


def computable() -> frozenset[str]:
    """Return the algorithms that can be computed here.

    CRC32C and CRC64NVME need the package ``anycrc`` (``oarepo-s3[checksums]``).
    """
    return frozenset(LENGTHS) - (frozenset(_MODELS) if anycrc is None else frozenset())


def compute(algorithm: str, chunks: Iterable[bytes]) -> Digest:
    """Compute the digest of content that comes in pieces, in flat memory.

    :raises KeyError: for an algorithm that is not :func:`computable`.
    """
    if algorithm not in computable():
        raise KeyError(algorithm)
    if algorithm in _MODELS:
        return Digest(algorithm, _crc(anycrc.Model(_MODELS[algorithm]).calc, algorithm, chunks))
    if algorithm == "crc32":
        return Digest(algorithm, _crc(zlib.crc32, algorithm, chunks))
    digest = hashlib.new(algorithm, usedforsecurity=False)
    for chunk in chunks:
        digest.update(chunk)
    return Digest(algorithm, digest.digest())


_MODELS = {"crc32c": "CRC32C", "crc64nvme": "CRC64-NVME"}
"""What ``anycrc`` calls the algorithms that the standard library does not have."""


def _crc(update: Callable[[bytes, int], int], algorithm: str, chunks: Iterable[bytes]) -> bytes:
    value = 0
    for chunk in chunks:
        value = update(chunk, value)
    return value.to_bytes(LENGTHS[algorithm], "big")
