# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys by STS: AssumeRole, with a policy that narrows what the role may do."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, timedelta
from typing import Any

from ..core.credentials import Credentials
from ..core.errors import StoreMisconfigured
from ..core.policies import MAX_SESSION_POLICY, compact
from .operators import Address
from .s3_connection import S3Connection
from .translate import store_errors

_NOWHERE = "aws-global"
"""What the SDK calls the region where none is configured."""


class S3Keys(S3Connection):
    """A store whose STS hands out temporary keys."""

    @property
    def address(self) -> Address:
        """Where the keys are of use: what a client's configuration needs beside them."""
        meta = self._clients.public.meta
        region = meta.region_name
        if region in (None, _NOWHERE):
            region = "us-east-1"
        return Address(str(meta.endpoint_url), str(region), self.bucket)

    def issue_credentials(
        self,
        *,
        role: str,
        session_name: str,
        policy: Mapping[str, Any],
        lifetime: timedelta,
    ) -> Credentials:
        """Return keys that may do what both the role and the policy allow.

        :raises StoreDenied: when the server's keys may not assume the role.
        :raises StoreMisconfigured: when there is no such role or no STS, or when it does not take
            the policy or the lifetime.
        """
        written = compact(policy)
        if len(written) > MAX_SESSION_POLICY:
            # Not left to the store: RGW 16.2 dies of resources above some 1,500 characters.
            raise StoreMisconfigured(
                reason=f"a policy of {len(written)} characters, {MAX_SESSION_POLICY} are possible"
            )
        with store_errors(in_sts=True), self._sts_breaker.guard():
            answer = self._clients.sts.assume_role(
                RoleArn=role,
                RoleSessionName=session_name,
                Policy=written,
                DurationSeconds=int(lifetime.total_seconds()),
            )["Credentials"]
            return Credentials(
                answer["AccessKeyId"],
                answer["SecretAccessKey"],
                answer["SessionToken"],
                answer["Expiration"].astimezone(UTC),
            )
