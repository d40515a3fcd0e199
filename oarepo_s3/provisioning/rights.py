# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Policies of users and roles, given through the store's IAM API."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
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
    write = partial(store.write_user_policy, user, name)
    return _change(store.read_user_policy(user, name), policy, write, dry_run=dry_run)


def change_role(
    store: AdministersRights, role: str, bucket: str, policy: Mapping[str, Any], *, dry_run: bool
) -> Change:
    """Let a role upload into a bucket."""
    name = policy_name(bucket)
    write = partial(store.write_role_policy, role, name)
    return _change(store.read_role_policy(role, name), policy, write, dry_run=dry_run)


def change_trust(
    store: AdministersRights, role: str, trust: Mapping[str, Any], *, dry_run: bool
) -> Change:
    """Put who may assume a role among those who may already; make the role if there is none.

    Statements of others stay, and one of ours, known by its Sid, is replaced.

    :param trust: of one statement, with a Sid.
    """
    before = store.read_trust(role)
    write = partial(store.write_trust, role)
    return _change(
        before, trust if before is None else _joined(before, trust), write, dry_run=dry_run
    )


def _joined(there: Mapping[str, Any], trust: Mapping[str, Any]) -> Mapping[str, Any]:
    (ours,) = trust["Statement"]
    found = _many(there.get("Statement"))
    others = [statement for statement in found if statement.get("Sid") != ours["Sid"]]
    if len(others) == len(found) and any(_covers(statement, ours) for statement in others):
        return there
    return {**there, "Statement": [*others, ours]}


def _covers(statement: Mapping[str, Any], ours: Mapping[str, Any]) -> bool:
    """Whether a statement of others allows what ours would, and under no condition."""
    principal = statement.get("Principal")
    users = _many(principal.get("AWS")) if isinstance(principal, Mapping) else []
    return (
        statement.get("Effect") == "Allow"
        and "Condition" not in statement
        and ours["Principal"]["AWS"] in users
        and ours["Action"] in _many(statement.get("Action"))
    )


def _many(value: Any) -> list[Any]:
    """Return what a policy says once, or in a list, or not at all."""
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _change(
    before: Mapping[str, Any] | None,
    wanted: Mapping[str, Any],
    write: Callable[[Mapping[str, Any]], None],
    *,
    dry_run: bool,
) -> Change:
    change = Change("policy", before, wanted, needed=before != wanted)
    if change.needed and not dry_run:
        write(wanted)
    return change
