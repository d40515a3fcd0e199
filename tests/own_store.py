# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A store of yours, named by the environment, as one more store under test.

Everything that the tests make there lies below one prefix and is removed at the end.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

PREFIX = "oarepo-s3-test/"
"""Where the tests of stores put everything."""

NAMES = tuple(
    f"OAREPO_S3_TEST_{name}"
    for name in ("ENDPOINT_URL", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "BUCKET")
)
"""All of these, or none."""

KIND = "OAREPO_S3_TEST_KIND"
"""Which row of the stores' table yours is like, such as ``ceph``; ``aws`` unless it is set."""

REGION = "OAREPO_S3_TEST_REGION"
"""Its region; ``us-east-1`` unless it is set."""


class HalfSet(Exception):
    """Some of the names are set, and others are not."""


def connection(environment: Mapping[str, str] = os.environ) -> tuple[str, str, str, str] | None:
    """Return endpoint, access key, secret and bucket; None when nothing is set.

    :raises HalfSet: names what is missing.
    """
    values = [environment.get(name) for name in NAMES]
    missing = [name for name, value in zip(NAMES, values, strict=True) if not value]
    if len(missing) == len(NAMES):
        return None
    if missing:
        raise HalfSet(f"to test your own store, set {', '.join(missing)} as well (or none)")
    endpoint, access_key, secret_key, bucket = map(str, values)
    return endpoint, access_key, secret_key, bucket


def remove_all(client: Any, bucket: str, prefix: str) -> None:
    """Remove the objects and the open uploads below a prefix."""
    for page in client.get_paginator("list_multipart_uploads").paginate(
        Bucket=bucket, Prefix=prefix
    ):
        for upload in page.get("Uploads", []):
            client.abort_multipart_upload(
                Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"]
            )
    for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
        for found in page.get("Contents", []):
            client.delete_object(Bucket=bucket, Key=found["Key"])
