# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How a file is cut into parts.

One part size per upload: some stores (Cloudflare R2) want it, and a client that knows the part
size and the number of parts can compute every range by itself.
"""

from __future__ import annotations

from dataclasses import dataclass

from .errors import InvalidRequest, InvalidSize, PartOutOfRange

MIB = 2**20
GIB = 2**30
TIB = 2**40

UPPY_PARTS = 10_000
UPPY_PART_SIZE = 5 * MIB
"""Uppy's own limits: the most parts, and the least bytes of a part."""


@dataclass(frozen=True, slots=True)
class PartLimits:
    """What the store takes.

    Sizes are in bytes. The defaults are those of Amazon S3 ("Amazon S3 multipart upload limits",
    S3 User Guide); every store that this project was measured on shares them.
    """

    min_part_size: int = 5 * MIB
    max_part_size: int = 5 * GIB
    max_parts: int = 10_000
    max_size: int = 5 * TIB

    @property
    def largest_file(self) -> int:
        """Bytes of the largest file that a legal cut can hold."""
        return min(self.max_size, self.max_parts * self.max_part_size)


@dataclass(frozen=True, slots=True)
class PartPlan:
    """The cut of one file: ``size`` bytes in ``num_parts`` parts of ``part_size`` bytes each.

    The last part has what is left. A file of zero bytes has one part of zero bytes, because S3
    cannot complete an upload without parts.
    """

    size: int
    part_size: int
    num_parts: int

    def size_of(self, part: int) -> int:
        """Return the size in bytes of a part (1..num_parts).

        :raises PartOutOfRange: when there is no such part.
        """
        if not 1 <= part <= self.num_parts:
            raise PartOutOfRange(part=part, num_parts=self.num_parts)
        if part < self.num_parts:
            return self.part_size
        return self.size - self.part_size * (self.num_parts - 1)


def plan_parts(
    size: int,
    *,
    limits: PartLimits,
    preferred: int,
    wish: int | None = None,
) -> PartPlan:
    """Choose the part size for a file and count its parts.

    A caller's wish is honoured where it is legal and moved to the nearest legal part size where
    it is not (in whole MiB, if it would make too many parts); what was chosen is in the plan, and
    the client has to follow the plan.

    :param size: bytes in the file, 0 or more.
    :param limits: what the store takes.
    :param preferred: part size in bytes when the caller has no wish.
    :param wish: part size in bytes that the caller would like.
    :raises InvalidSize: for a negative size, one that no legal cut can hold, or a wish below 1.
    """
    if not 0 <= size <= limits.largest_file:
        raise InvalidSize(size=size, min_size=0, max_size=limits.largest_file)
    if wish is not None and wish < 1:
        raise InvalidSize(size=wish, min_size=1, max_size=limits.max_part_size)
    part_size = max(wish or preferred, limits.min_part_size)
    smallest = -(-size // limits.max_parts)
    if part_size < smallest:
        # In whole MiB, so that people can read it, unless that would exceed the largest part.
        part_size = -(-smallest // MIB) * MIB
    part_size = min(part_size, limits.max_part_size)
    return PartPlan(size, part_size, max(1, -(-size // part_size)))


def take_plan(
    size: int, *, limits: PartLimits, num_parts: int, part_size: int | None = None
) -> PartPlan:
    """Take the cut that a client has made already, or refuse it.

    For protocols in which the client says how many parts there are: it may have begun to read the
    file by its own cut, so nothing is moved here.

    :param size: bytes in the file, 0 or more.
    :param limits: what the store takes; a single part may be smaller than its smallest.
    :param num_parts: number of parts, 1 or more.
    :param part_size: bytes of every part but the last; None for parts of one size.
    :raises InvalidSize: for a size of the file or of a part that the store does not take.
    :raises InvalidRequest: for a number of parts that the store does not take, or that does not fit
        the sizes.
    """
    if not 0 <= size <= limits.largest_file:
        raise InvalidSize(size=size, min_size=0, max_size=limits.largest_file)
    if not 1 <= num_parts <= limits.max_parts:
        raise InvalidRequest(reason=f"{num_parts} parts are not from 1 to {limits.max_parts}")
    if part_size is None:
        part_size = max(1, -(-size // num_parts))
    smallest = 1 if num_parts == 1 else limits.min_part_size
    if not smallest <= part_size <= limits.max_part_size:
        raise InvalidSize(size=part_size, min_size=smallest, max_size=limits.max_part_size)
    needed = max(1, -(-size // part_size))
    if needed != num_parts:
        raise InvalidRequest(
            reason=f"{size} bytes in parts of {part_size} are {needed} parts, not {num_parts}"
        )
    return PartPlan(size, part_size, num_parts)


def cut_by_uppy(size: int, wish: int | None = None) -> tuple[int, int]:
    """Return how many parts Uppy makes of a file, and how large they are.

    Uppy's S3 plugin (``@uppy/aws-s3``, 5.x and 6.x) cuts a file by its own rule and tells nobody.

    :param size: bytes in the file, 0 or more.
    :param wish: bytes that the page's ``getChunkSize`` gives for it; None without such an option.
    """
    part_size = max(-(-size // UPPY_PARTS) if wish is None else wish, UPPY_PART_SIZE)
    if size > part_size * UPPY_PARTS:
        part_size = -(-size // UPPY_PARTS)
    return max(1, -(-size // part_size)), part_size
