# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""In what the versions of Ceph RGW differ, and what the tests of that need.

Measured on 16.2.15, 18.2.7 and 20.2.4. ``docs/reference/stores.md`` says the same to operators:
change both.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from ..services import CephRGW


@dataclass(frozen=True)
class RGW:
    """What a version does."""

    first_etag: str
    """What the answer to complete has as the ETag of the object, which is filled in."""
    refuses_unsigned: bool = False
    """A presigned PUT may have no Content-Type and no ``x-amz-`` header that is not signed."""
    conditional_complete: bool = False
    """It honours ``If-None-Match: *`` on complete."""
    checksums: bool = False
    """It computes and keeps the checksums that were declared when the upload was opened."""
    policy_with_spaces: bool = True
    """A session policy for AssumeRole may have spaces."""
    policy_with_classes: bool = True
    """In a policy it reads ``[ab]`` as one of these characters, and a backslash as a sign before
    the one that is meant."""
    describes_unchanged: bool = True
    """Its 304 has the ETag and the ``Cache-Control`` with which the object was stored."""
    blocks_only_public: bool = False
    """With ``BlockPublicAcls`` it refuses objects with public ACLs, not every object; and with
    ``BlockPublicPolicy`` public policies, not all that allow something."""
    forms_by_user_policy: bool = False
    """It takes a form of a user whose policy allows it, not only that of the bucket."""
    tells_of_nothing: bool = True
    """Temporary keys to an object, which may not list, are told that it is not there."""
    copies_for_others: bool = True
    """A policy lets a user copy an object of somebody else's into a part."""
    access_block_has_a_right: bool = True
    """The public access block can be read with ``s3:GetBucketPublicAccessBlock``."""


VERSIONS = {
    16: RGW(
        first_etag="",
        policy_with_spaces=False,
        policy_with_classes=False,
        describes_unchanged=False,
        copies_for_others=False,
        access_block_has_a_right=False,
    ),
    18: RGW(first_etag="{}"),
    20: RGW(
        first_etag='"{}"',
        refuses_unsigned=True,
        conditional_complete=True,
        checksums=True,
        blocks_only_public=True,
        forms_by_user_policy=True,
        tells_of_nothing=False,
    ),
}

OK = (200, "")
"""Of :func:`answer` and :meth:`Upload.put`."""


def traits_of(gateway: CephRGW) -> RGW:
    """Return what the running version does, by what it says of itself."""
    version = gateway.version
    traits = VERSIONS.get(int(version.partition(".")[0]))
    if traits is None:
        pytest.fail(f"Ceph {version} has not been measured: add it to VERSIONS")
    return traits


def answer(call: Any, **parameters: Any) -> tuple[int, str]:
    """Return the status and the error's code with which the store answers a call of boto3."""
    try:
        return call(**parameters)["ResponseMetadata"]["HTTPStatusCode"], ""
    except ClientError as error:
        response = error.response
        code = response.get("Error", {}).get("Code", "")
        return response["ResponseMetadata"]["HTTPStatusCode"], code


class Upload:
    """An upload at the gateway, through a plain client of the SDK and presigned URLs."""

    def __init__(self, client: Any, http: Any, bucket: str, key: str, **declared: Any) -> None:
        self.client = client
        self.http = http
        self.at = {"Bucket": bucket, "Key": key}
        self.opened = client.create_multipart_upload(**self.at, **declared)
        self.it = {**self.at, "UploadId": self.opened["UploadId"]}

    def sign(self, part: int = 1, **signed: Any) -> str:
        """Return the URL of a part, with headers that are signed."""
        parameters = {**self.it, "PartNumber": part, **signed}
        return str(self.client.generate_presigned_url("upload_part", parameters))

    def put(self, url: str, body: bytes, **headers: str) -> tuple[int, str]:
        """Send a part; return the status and the code of the error.

        Names of headers have ``_`` for ``-``.
        """
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        reply = self.http.request("PUT", url, body=body, headers=named)
        code = re.search(rb"<Code>(.*?)</Code>", reply.data)
        return reply.status, code[1].decode() if code else ""

    def parts(self) -> list[dict[str, Any]]:
        """Return the parts that the gateway has."""
        return list(self.client.list_parts(**self.it).get("Parts", []))

    def listed(self) -> dict[str, Any]:
        """Return what a complete call says of the parts."""
        parts = [{name: part[name] for name in ("PartNumber", "ETag")} for part in self.parts()]
        return {**self.it, "MultipartUpload": {"Parts": parts}}

    def head(self) -> dict[str, Any]:
        """Return what the gateway says of the object."""
        return dict(self.client.head_object(**self.at, ChecksumMode="ENABLED"))
