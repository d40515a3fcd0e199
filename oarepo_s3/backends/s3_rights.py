# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Policies of users and roles, by the IAM API: AWS and Ceph RGW have it.

RGW takes these calls from users with the capabilities ``user-policy=*`` and ``roles=*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from ..core.policies import compact
from .s3_connection import S3Connection
from .translate import code_of


class S3Rights(S3Connection):
    """A store at which rights can be read and given."""

    @cached_property
    def _iam(self) -> BaseClient:
        return self._clients.iam()

    def read_user_policy(self, user: str, name: str) -> Mapping[str, Any] | None:
        """Return a policy of a user; None when it, or the user, is not there."""
        with self._call():
            try:
                # Asked for one that is not there, RGW 16.2 answers with two XML documents.
                names = self._iam.list_user_policies(UserName=user).get("PolicyNames", [])
            except ClientError as error:
                # RGW says so of a user without policies.
                if code_of(error) == "NoSuchEntity":
                    return None
                raise
            if name not in names:
                return None
            return _content(self._iam.get_user_policy(UserName=user, PolicyName=name))

    def write_user_policy(self, user: str, name: str, policy: Mapping[str, Any]) -> None:
        """Give a user a policy of that name, in place of any that has it.

        :raises StoreMisconfigured: with the reason ``NoSuchEntity``, when there is no such user.
        """
        with self._call():
            self._iam.put_user_policy(
                UserName=user, PolicyName=name, PolicyDocument=compact(policy)
            )

    def read_role_policy(self, role: str, name: str) -> Mapping[str, Any] | None:
        """Return a policy of a role; None when it, or the role, is not there."""
        with self._call():
            try:
                answer = self._iam.get_role_policy(RoleName=role, PolicyName=name)
            except ClientError as error:
                if code_of(error) == "NoSuchEntity":
                    return None
                raise
            return _content(answer)

    def write_role_policy(self, role: str, name: str, policy: Mapping[str, Any]) -> None:
        """Give a role a policy of that name, in place of any that has it.

        :raises StoreMisconfigured: with the reason ``NoSuchEntity``, when there is no such role.
        """
        with self._call():
            self._iam.put_role_policy(
                RoleName=role, PolicyName=name, PolicyDocument=compact(policy)
            )

    def read_trust(self, role: str) -> Mapping[str, Any] | None:
        """Return who may assume a role; None when there is no such role."""
        with self._call():
            try:
                answer = self._iam.get_role(RoleName=role)
            except ClientError as error:
                if code_of(error) == "NoSuchEntity":
                    return None
                raise
            trust: Mapping[str, Any] = answer["Role"]["AssumeRolePolicyDocument"]
            return trust

    def write_trust(self, role: str, trust: Mapping[str, Any]) -> None:
        """Say who may assume a role, which is made if there is none."""
        written = compact(trust)
        with self._call():
            try:
                self._iam.create_role(RoleName=role, AssumeRolePolicyDocument=written)
            except ClientError as error:
                if code_of(error) != "EntityAlreadyExists":
                    raise
                self._iam.update_assume_role_policy(RoleName=role, PolicyDocument=written)


def _content(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    policy: Mapping[str, Any] = answer["PolicyDocument"]
    return policy
