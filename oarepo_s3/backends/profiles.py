# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What kinds of stores can do, beyond what all of them can.

Only what was measured (RGW 16.2, 18.2 and 20.2; see ``docs/reference/stores.md``) or what the
provider documents: a store that ignores a checksum answers just as one that has verified it.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import StoreMisconfigured


@dataclass(frozen=True, slots=True)
class Profile:
    """The optional abilities of a store.

    :param name: as in ``OAREPO_S3_PROFILE``.
    :param object_checksums: algorithms in which it keeps, and tells, a checksum of a whole object
        that was uploaded in parts.
    :param part_checksums: algorithms in which it refuses a part whose signed checksum is wrong;
        those other than ``md5`` only for an upload that was opened with the algorithm.
    :param conditional_complete: whether it completes an upload only if there is no such object.
    :param forms: whether it takes forms, refuses what their policy does not allow, and copies
        objects into parts.
    """

    name: str
    object_checksums: frozenset[str] = frozenset()
    part_checksums: frozenset[str] = frozenset({"md5"})
    conditional_complete: bool = False
    forms: bool = False


PROFILES = {
    profile.name: profile
    for profile in (
        # Checking object integrity in Amazon S3 (User Guide); conditional writes (ibid.). Without
        # CRC32 and CRC32C: for those AWS may want checksums of all parts, too.
        Profile(
            "aws",
            object_checksums=frozenset({"crc64nvme"}),
            part_checksums=frozenset({"md5", "crc64nvme"}),
            conditional_complete=True,
            forms=True,
        ),
        # Pacific to Reef ignore checksums and conditions.
        Profile("ceph", forms=True),
        # Tentacle tells CRC64NVME truly, but does not refuse a part or an object for it.
        Profile(
            "ceph-20",
            object_checksums=frozenset({"crc32", "crc32c", "crc64nvme"}),
            part_checksums=frozenset({"md5", "crc32", "crc32c"}),
            conditional_complete=True,
            forms=True,
        ),
        # POST policies and UploadPartCopy are among the calls that MinIO documents.
        Profile("minio", forms=True),
        Profile("other"),
    )
}
"""The profiles by name."""


def find_profile(name: str) -> Profile:
    """Return a profile.

    :raises StoreMisconfigured: when there is none of that name.
    """
    try:
        return PROFILES[name]
    except KeyError:
        raise StoreMisconfigured(
            reason=f"there is no profile {name!r}, only {', '.join(PROFILES)}"
        ) from None
