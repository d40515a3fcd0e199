# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Content that is read to compute a checksum: in pieces, however large a file is."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

READ_SIZE = 2**20
"""Bytes read at a time while a checksum is computed."""

Progress = Callable[[int, int], None]
"""Who is told how far it is: gets the size of the content and the bytes read so far."""


def chunks(
    stream: BinaryIO, chunk_size: int, size: int, progress_callback: Progress | None
) -> Iterator[bytes]:
    """Yield all that a stream has.

    :param chunk_size: bytes to read at a time.
    :param size: bytes that are expected; the progress callback gets it.
    """
    done = 0
    while chunk := stream.read(chunk_size):
        yield chunk
        done += len(chunk)
        if progress_callback:
            progress_callback(size, done)


def part_digests(
    stream: BinaryIO, part_size: int | None, size: int, progress_callback: Progress | None
) -> Iterator[bytes]:
    """Yield the MD5 of each part, or without a part size of the whole; of nothing, one too.

    :param part_size: bytes of each part but the last.
    :param size: bytes that are expected: no part begins behind them.
    """
    done = 0
    while True:
        left = size if part_size is None else part_size
        digest = hashlib.md5(usedforsecurity=False)
        while left and (chunk := stream.read(min(READ_SIZE, left))):
            digest.update(chunk)
            left -= len(chunk)
            done += len(chunk)
            if progress_callback:
                progress_callback(size, done)
        yield digest.digest()
        if done >= size or left:
            return
