# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Roles at a gateway with STS, and what whoever has temporary keys can do with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from oarepo_s3.core.policies import compact, role_policy, trust_policy

from .services import CephRGW

ROLE_NAME = "uploader"
ROLE = f"arn:aws:iam:::role/{ROLE_NAME}"
TENANT_ROLE = f"arn:aws:iam::{CephRGW.tenant}:role/{ROLE_NAME}"


def make_roles(gateway: CephRGW, bucket: str) -> None:
    """Make the upload role of a bucket for both of the gateway's users, as operators do it."""
    for tenant in ("", gateway.tenant):
        where = ["--tenant", tenant] if tenant else []
        named = ["--role-name", ROLE_NAME, *where]
        trust = compact(trust_policy(f"arn:aws:iam::{tenant}:user/{gateway.user}"))
        gateway.admin("role", "create", *named, "--assume-role-policy-doc", trust)
        allowed = compact(role_policy(bucket))
        gateway.admin("role-policy", "put", *named, "--policy-name", "up", "--policy-doc", allowed)


CALLS: dict[str, Callable[[Any, str, str], Any]] = {
    "put": lambda s3, bucket, name: s3.put_object(Bucket=bucket, Key=f"{name}new", Body=b"new"),
    "get": lambda s3, bucket, name: s3.get_object(Bucket=bucket, Key=f"{name}old"),
    "list": lambda s3, bucket, name: s3.list_objects_v2(Bucket=bucket, Prefix=name),
    "delete": lambda s3, bucket, name: s3.delete_object(Bucket=bucket, Key=f"{name}old"),
    "multipart": lambda s3, bucket, name: s3.create_multipart_upload(
        Bucket=bucket, Key=f"{name}large"
    ),
}
"""What a client may try below a prefix, which has an object ``old``."""


def status(call: Callable[..., Any], *arguments: Any) -> int:
    """Return the status with which the store answers a call of boto3."""
    try:
        answer = call(*arguments)
    except ClientError as error:
        answer = error.response
    return int(answer["ResponseMetadata"]["HTTPStatusCode"])
