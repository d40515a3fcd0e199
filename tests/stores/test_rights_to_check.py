# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The server's policy is enough for the check of a location, which names what else is missing.

One action after the other is taken from a user who owns nothing. Here nothing is denied to them, as
``test_check.py`` does it; it is just not allowed.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from oarepo_s3.backends import Site
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.policies import server_policy
from oarepo_s3.provisioning.check import check_store
from oarepo_s3.provisioning.subject import Subject

from ..conftest import Store
from .conftest import connection
from .patient import ORIGIN
from .rights import ACTIONS, BUCKET, FULL, POLICY, with_keys_of, without

OWN = {"s3:GetObject", "s3:ListMultipartUploadParts"}
"""What Ceph allows whoever has sent an object, by the ACL that this gives to it; moto has none."""

Named = Callable[[dict[str, Any]], set[str]]


def named_at(place: Store, bucket: str) -> set[str]:
    """Check a bucket; return what the check says by name that the keys may not do."""
    subject = Subject(connection(place), Site(bucket=bucket, origins=(ORIGIN,)), prefix="checked")
    report = check_store(subject)
    assert report.left_behind == []
    messages = (finding.message for finding in report.findings)
    return {action for message in messages for action in re.findall(r"s3:\w+", message)}


@pytest.fixture
def at_ceph(users_gateway, of) -> Named:
    """Check a bucket at Ceph as a user with a policy."""
    owner = of("owner")
    owner.create_bucket()
    place = Store(users_gateway.endpoint_url, "trimmedkey", "trimmedsecretsecret")

    def named(policy: dict[str, Any]) -> set[str]:
        of("root").write_user_policy("trimmed", POLICY, policy)
        found = named_at(place, BUCKET)
        assert list(owner.list_objects("checked/")) == []
        assert list(owner.list_uploads("checked/")) == []
        return found

    return named


@pytest.mark.ceph
def test_the_policy_is_enough(at_ceph):
    assert at_ceph(FULL) == set()


@pytest.mark.ceph
@pytest.mark.parametrize("action", ACTIONS)
def test_an_action_that_is_missing_is_named_and_no_other(at_ceph, action):
    assert at_ceph(without(action)) == {action} - OWN


@pytest.mark.parametrize("action", [None, *sorted(OWN)])
def test_so_is_one_that_is_needed_where_objects_have_no_acls(moto_store, enforcing_moto, action):
    bucket = moto_store.bucket
    policy = server_policy(bucket)
    if action:
        policy = without(action, policy)
    root = S3Store(bucket, connection(enforcing_moto))
    place = with_keys_of(root, moto_store, f"checks-without-{action}".replace(":", "-"), policy)
    assert named_at(place, bucket) == ({action} if action else set())
