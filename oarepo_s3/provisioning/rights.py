# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Policies of users and roles, given through the store's IAM API."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ..backends import AdministersRights
from ..core.errors import InvalidRequest
from .merging import Change

_LONGEST_NAME = 128
"""Of a policy (IAM API reference, PutUserPolicy)."""


def policy_name(bucket: str, prefix: str = "") -> str:
    """Return the name under which a user or a role has its policy for a location.

    Two locations have two names, also in one bucket. Of the characters that AWS takes in one, RGW
    16.2 refuses ``+`` and ``_`` (measured).

    :param prefix: with or without a slash at its end; empty for the whole bucket.
    """
    place = f"{bucket}/{prefix}".rstrip("/")
    written = re.sub(r"[^A-Za-z0-9./-]", _in_hex, place).replace("/", ",")
    name = f"oarepo-s3-{written}"
    if len(name) <= _LONGEST_NAME:
        return name
    digest = hashlib.sha256(place.encode()).hexdigest()[:32]
    return f"{name[: _LONGEST_NAME - len(digest) - 1]}@{digest}"


def _in_hex(character: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in character[0].encode())


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
    store: AdministersRights, user: str, name: str, policy: Mapping[str, Any], *, dry_run: bool
) -> Change:
    """Let a user of the store be the server of a location.

    :param name: of the policy, as :func:`policy_name` makes it.
    """
    write = partial(store.write_user_policy, user, name)
    return _change(store.read_user_policy(user, name), policy, write, dry_run=dry_run)


def change_role(
    store: AdministersRights, role: str, name: str, policy: Mapping[str, Any], *, dry_run: bool
) -> Change:
    """Let a role upload into a location.

    :param name: of the policy, as :func:`policy_name` makes it.
    """
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
