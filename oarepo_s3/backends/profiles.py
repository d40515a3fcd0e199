# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What kinds of stores can do, beyond what all of them can.

Only what was measured (RGW 16.2, 18.2 and 20.2; see ``docs/reference/stores.md``) or what the
provider documents: a store that ignores a checksum answers just as one that has verified it.
``invenio s3 check`` tries all of it at a location, and what it finds takes the place of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from ..core.digests import LENGTHS
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
    :param size_on_complete: whether it refuses to make an object of another size than it is told.
    :param forms: whether it takes forms, refuses what their policy does not allow, and copies
        objects into parts.
    :param sts: whether it makes temporary keys of a role, and holds them to a session policy.
    :param versioning: whether the bucket keeps older versions of its objects.
    """

    name: str
    object_checksums: frozenset[str] = frozenset()
    part_checksums: frozenset[str] = frozenset({"md5"})
    conditional_complete: bool = False
    size_on_complete: bool = False
    forms: bool = False
    sts: bool = False
    versioning: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Return the abilities as JSON has them."""
        return {
            name: sorted(value) if isinstance(value, frozenset) else value
            for name, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, written: Mapping[str, Any]) -> Profile:
        """Read what :meth:`as_dict` has written; names of other versions are left out.

        :raises StoreMisconfigured: when a value is none that the name can have.
        """
        known = {field.name: field.type for field in fields(cls)}
        found = {name: value for name, value in written.items() if name in known}
        if "name" not in found:
            raise StoreMisconfigured(reason="a stored profile has no name")
        return cls(**{name: _read(name, known[name], value) for name, value in found.items()})


def _read(name: str, kind: Any, value: Any) -> Any:
    """Take a field's value from JSON; ``kind`` is its annotation, as it is written above."""
    if kind == "frozenset[str]":
        # An algorithm that nobody knows would go wrong only in the middle of an upload.
        if isinstance(value, list) and all(isinstance(i, str) and i in LENGTHS for i in value):
            return frozenset(value)
    elif type(value).__name__ == kind:
        return value
    raise StoreMisconfigured(reason=f"a stored profile has {name} = {value!r}")


PROFILES = {
    profile.name: profile
    for profile in (
        # Checking object integrity in Amazon S3 (User Guide); conditional writes (ibid.);
        # CompleteMultipartUpload and AssumeRole (API references). Without CRC32 and CRC32C: for
        # those AWS may want checksums of all parts, too.
        Profile(
            "aws",
            object_checksums=frozenset({"crc64nvme"}),
            part_checksums=frozenset({"md5", "crc64nvme"}),
            conditional_complete=True,
            size_on_complete=True,
            forms=True,
            sts=True,
        ),
        # Pacific to Reef ignore checksums, sizes and conditions. STS has to be switched on.
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
