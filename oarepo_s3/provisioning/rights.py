# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Policies of users and roles, given through the store's IAM API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..backends import AdministersRights
from ..core.errors import InvalidRequest
from .merging import Change


def policy_name(bucket: str) -> str:
    """Return the name under which a user or a role has its policy for a bucket."""
    return f"oarepo-s3-{bucket}"


def name_in_arn(arn: str, kind: str) -> str:
    """Return the name of a user or role.

    :param arn: such as ``arn:aws:iam::123456789012:role/path/uploader``.
    :param kind: ``user`` or ``role``.
    :raises InvalidRequest: when it is the ARN of nothing of that kind.
    """
    resource = arn.split(":", 5)[-1]
    if not arn.startswith("arn:") or not resource.startswith(f"{kind}/"):
        raise InvalidRequest(reason=f"{arn!r} is not the ARN of a {kind}")
    return resource.rpartition("/")[2]


def change_server(
    store: AdministersRights, user: str, bucket: str, policy: Mapping[str, Any], *, dry_run: bool
) -> Change:
    """Let a user of the store be the server of a bucket."""
    name = policy_name(bucket)
    before = store.read_user_policy(user, name)
    change = Change("policy", before, policy, needed=before != policy)
    if change.needed and not dry_run:
        store.write_user_policy(user, name, policy)
    return change


def change_role(
    store: AdministersRights, role: str, bucket: str, policy: Mapping[str, Any], *, dry_run: bool
) -> Change:
    """Let a role upload into a bucket."""
    name = policy_name(bucket)
    before = store.read_role_policy(role, name)
    change = Change("policy", before, policy, needed=before != policy)
    if change.needed and not dry_run:
        store.write_role_policy(role, name, policy)
    return change


def change_trust(
    store: AdministersRights, role: str, trust: Mapping[str, Any], *, dry_run: bool
) -> Change:
    """Say who may assume a role, which is made if there is none."""
    before = store.read_trust(role)
    change = Change("policy", before, trust, needed=before != trust)
    if change.needed and not dry_run:
        store.write_trust(role, trust)
    return change
