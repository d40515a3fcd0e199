# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which checksums a store really compares, and which it tells of a whole object.

A store is believed only when it has refused what is wrong, or has computed what it tells: what it
was told it may just repeat.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from ..backends import Profile
from ..core.digests import Digest, compute
from .bench import CONTENT, Bench
from .findings import Level
from .probe_abilities import is_refused

URL_LIFETIME = timedelta(minutes=5)

ZEROS = 5 * 2**20
"""Bytes of zero in the first part of two: the fewest that stores take."""

# Not every Python can compute the last two.
OF_CONTENT = {
    "md5": compute("md5", [CONTENT]),
    "crc32": compute("crc32", [CONTENT]),
    "crc32c": Digest.parse("crc32c:6b0ddcb5"),
    "crc64nvme": Digest.parse("crc64nvme:955b40b44fed92e0"),
}
"""Of the test content."""

OF_TWO_PARTS = {
    "crc32": Digest.parse("crc32:04bb8696"),
    "crc32c": Digest.parse("crc32c:5e66473b"),
    "crc64nvme": Digest.parse("crc64nvme:11c9a12952483929"),
}
"""Of an object whose first part is ``ZEROS`` zeros, and whose second one the test content.

These are all that S3 knows of a whole object that was uploaded in parts."""


def probe_part_checksums(bench: Bench) -> None:
    """Send parts that do not have the checksum that their URLs sign, and then the right ones."""
    compared = frozenset(name for name in OF_CONTENT if _compares(bench, name))
    bench.can(part_checksums=compared)
    bench.found(
        "part checksums",
        Level.OK if compared else Level.NOTE,
        f"The store refuses parts whose {_names(compared)} is wrong."
        if compared
        else "The store compares no checksum of parts: their sizes are all that is compared.",
    )


def probe_object_checksums(bench: Bench) -> None:
    """Make objects with a wrong checksum, and look at what the store tells of them."""
    told = frozenset(name for name in OF_TWO_PARTS if _tells(bench, name))
    # Only uploads of these algorithms are opened with one.
    bench.can(
        object_checksums=told,
        part_checksums=bench.abilities.part_checksums & (told | {"md5"}),
    )
    bench.found(
        "object checksums",
        Level.OK if told else Level.NOTE,
        f"The store computes {_names(told)} of whole objects: digests that clients declare in these"
        " are verified without reading."
        if told
        else "The store computes no checksums of whole objects: digests that clients declare are"
        " verified by a task that reads the file.",
    )


def _compares(bench: Bench, algorithm: str) -> bool:
    answer = []
    doing = f"to check the {algorithm.upper()} of a part"
    with bench.trying("part checksums", doing, optional=True):
        declared = None if algorithm == "md5" else algorithm
        key, upload_id = bench.open(f"part-{algorithm}", declared)
        signer = bench.store.part_signer(key, upload_id, lifetime=URL_LIFETIME)
        url, headers = signer.sign_checked(1, OF_CONTENT[algorithm])
        for body in (CONTENT[::-1], CONTENT):
            answer.append(bench.web.send("PUT", url, body=body, headers=headers).is_good)
    return answer == [False, True]


def _tells(bench: Bench, algorithm: str) -> bool:
    """Try it with one small part first: most stores that tell nothing are known by then."""
    doing = f"to keep the {algorithm.upper()} of an object"
    with bench.trying("object checksums", doing, optional=True):
        return _tells_of(bench, [CONTENT], OF_CONTENT[algorithm]) and _tells_of(
            bench, [bytes(ZEROS), CONTENT], OF_TWO_PARTS[algorithm]
        )
    return False


def _tells_of(bench: Bench, contents: Sequence[bytes], right: Digest) -> bool:
    able = Profile("tried", object_checksums=frozenset({right.algorithm}))
    store = bench.store.as_if(able)
    key, upload_id = bench.open(f"object-{right.algorithm}-{len(contents)}", right.algorithm)
    parts = bench.fill(key, upload_id, contents)
    wrong = replace(right, value=bytes(byte ^ 1 for byte in right.value))
    if is_refused(lambda: store.complete_upload(key, upload_id, parts, checksum=wrong)):
        store.complete_upload(key, upload_id, parts, checksum=right)
    bench.ended(key, upload_id)
    info = store.head(key)
    return info is not None and info.checksum == right


def _names(algorithms: frozenset[str]) -> str:
    return ", ".join(sorted(name.upper() for name in algorithms))
