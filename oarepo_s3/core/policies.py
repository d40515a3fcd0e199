# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may do what at a store: policies in the language of IAM, each with the least that is enough.

Opening, sending and completing a multipart upload are all ``s3:PutObject``, and ``HEAD`` is
``s3:GetObject`` (S3 User Guide, "Required permissions for Amazon S3 API operations"). Ceph and
MinIO take the same names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from .errors import InvalidRequest

Policy = dict[str, Any]
"""A policy document, as JSON says it."""

UPLOAD_ACTIONS = (
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
)
"""What whoever uploads may do with an object."""

SERVER_OBJECT_ACTIONS = (*UPLOAD_ACTIONS, "s3:DeleteObject")
"""What the server does with objects."""

CHECK_BUCKET_ACTIONS = ("s3:GetBucketCORS", "s3:GetLifecycleConfiguration")
"""What the check of a location reads: it is there to try the server's own keys."""

SHOW_BUCKET_ACTIONS = (
    "s3:GetBucketLocation",
    "s3:GetBucketPublicAccessBlock",
    "s3:GetBucketVersioning",
)
"""What ``invenio s3 bucket show`` alone reads beside all that. It is a command for keys of an
operator, and the server never needs it: no part of :func:`server_policy`."""

MAX_SESSION_POLICY = 2048
"""Characters of a session policy (STS API reference, AssumeRole)."""

TRUST_SID = "OarepoS3Server"
"""By which our statement is known among those of others in who may assume a role. A Sid has letters
and digits alone (IAM User Guide, "IAM JSON policy elements: Sid")."""

_WILD = re.compile(r"[*?\[\\]|\$\{")
"""What a policy does not take for itself: wildcards, and the beginning of a variable.

RGW reads ``[ab]`` as one of these characters, and a backslash as a sign before one that is meant
(18.2 and 20.2, measured; AWS and RGW 16.2 do not): keys to ``run[12]`` would open ``run1``.
"""


def compact(document: Mapping[str, Any]) -> str:
    """Write a policy as JSON without spaces, not even in its strings, in ASCII alone.

    RGW 16.2 refuses a session policy that has spaces (measured), and STS one that has characters
    above U+00FF (API reference, AssumeRole).
    """
    return json.dumps(document, separators=(",", ":")).replace(" ", r"\u0020")


def server_policy(bucket: str, role: str | None = None, *, prefix: str = "") -> Policy:
    """Return what the server's own keys need: for all that it does, and to be checked.

    For a location below a prefix, that is what is below it. But the list of open uploads is for
    the whole bucket: it knows no condition for a prefix (RGW 16.2, measured; Service Authorization
    Reference, "Actions defined by Amazon S3").

    :param role: ARN of the upload role, which they may then assume.
    :param prefix: of the location, with or without a slash at its end; empty for the whole bucket.
    :raises InvalidRequest: when the prefix has what a policy reads as a wildcard or a variable.
    """
    statements = [
        _listing(bucket, _folder(prefix)),
        _allow(["s3:ListBucketMultipartUploads", *CHECK_BUCKET_ACTIONS], _arn(bucket)),
        _allow(SERVER_OBJECT_ACTIONS, _below(bucket, _folder(prefix))),
    ]
    if role:
        statements.append(_allow(["sts:AssumeRole"], role))
    return _policy(*statements)


def role_policy(bucket: str, *, prefix: str = "") -> Policy:
    """Return what the upload role may do: all that a :func:`session_policy` can ask for.

    :param prefix: and errors as :func:`server_policy` has them.
    """
    folder = _folder(prefix)
    return _policy(_listing(bucket, folder), _allow(UPLOAD_ACTIONS, _below(bucket, folder)))


def trust_policy(principal: str) -> Policy:
    """Return who may assume the upload role: the server alone, in one statement with a Sid.

    :param principal: ARN of the server's user, such as ``arn:aws:iam::123456789012:user/name``.
    :raises InvalidRequest: for what is no ARN, and for one that means many.
    """
    if not principal.startswith("arn:") or _WILD.search(principal):
        raise InvalidRequest(reason=f"the principal {principal!r} is not the ARN of one user")
    return _policy(
        {
            "Sid": TRUST_SID,
            "Effect": "Allow",
            "Principal": {"AWS": principal},
            "Action": "sts:AssumeRole",
        }
    )


def session_policy(bucket: str, *, key: str | None = None, prefix: str | None = None) -> Policy:
    """Return what temporary keys may do: upload one object, or whatever is below a prefix.

    :param key: of the one object.
    :param prefix: with or without a slash at its end. What begins with it and a slash is within,
        and can be listed; a list has to be asked for with that slash.
    :raises InvalidRequest: unless exactly one of both is given, when it is empty or has what a
        policy reads as a wildcard or a variable, and when the policy would be too long for STS.
    """
    if (key is None) == (prefix is None):
        raise InvalidRequest(reason="a session is for a key or for a prefix")
    folder = _folder(prefix or "")
    if not (key or folder):
        raise InvalidRequest(reason="the key or prefix of a session is empty")
    _refuse_wild(key or "")
    if key:
        made = _policy(_allow(UPLOAD_ACTIONS, _arn(bucket, key)))
    else:
        made = _policy(_listing(bucket, folder), _allow(UPLOAD_ACTIONS, _below(bucket, folder)))
    if len(compact(made)) > MAX_SESSION_POLICY:
        raise InvalidRequest(reason="the key or prefix of a session is too long for its policy")
    return made


def _folder(prefix: str) -> str:
    """Return a prefix without a slash at its end."""
    _refuse_wild(prefix)
    return prefix.rstrip("/")


def _refuse_wild(name: str) -> None:
    if _WILD.search(name):
        raise InvalidRequest(
            reason="the key or prefix of a policy has '*', '?', '[', a backslash or '${'"
        )


def _listing(bucket: str, folder: str) -> dict[str, Any]:
    """Allow to list what is below a folder, which also tells who looks for an object there that it
    is not there: without this, stores answer 403 in place of 404."""
    listing = _allow(["s3:ListBucket"], _arn(bucket))
    if folder:
        # Not without the slash: that would list what lies beside it, "folder-of-another" as well.
        listing["Condition"] = {"StringLike": {"s3:prefix": [f"{folder}/*"]}}
    return listing


def _below(bucket: str, folder: str) -> str:
    return _arn(bucket, f"{folder}/*" if folder else "*")


def _arn(bucket: str, key: str | None = None) -> str:
    # Ceph takes "tenant:bucket" in addresses, and the tenant for an account in an ARN.
    tenant, _, name = bucket.rpartition(":")
    return f"arn:aws:s3::{tenant}:{name}" if key is None else f"arn:aws:s3::{tenant}:{name}/{key}"


def _allow(actions: Iterable[str], resource: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": sorted(actions), "Resource": resource}


def _policy(*statements: dict[str, Any]) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}
