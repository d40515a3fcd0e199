# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The server's policy is enough for all that the server does, and nothing in it is superfluous.

A user of the store who owns nothing gets the policy without one action, and does everything once:
what is then denied is what the action is for. ``ceph_traits.py`` has what Ceph does not let such a
user do. It also lets whom a role trusts assume it; that this may need a right, moto shows. See also
``test_rights_to_check.py``.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.errors import StoreDenied
from oarepo_s3.core.policies import server_policy, trust_policy
from oarepo_s3.provisioning.buckets import PRIVATE, describe

from .ceph_traits import answer, traits_of
from .conftest import connection
from .rights import (
    ACTIONS,
    BUCKET,
    FULL,
    NEEDED_FOR,
    POLICY,
    STEPS,
    Bench,
    denied_steps,
    sts_of,
    with_all_that_is_shown,
    with_keys_of,
    without,
)


@pytest.fixture(scope="module")
def bench(of, http) -> Bench:
    """The users at the gateway."""
    owner, root = of("owner"), of("root")
    owner.create_bucket()
    owner.write_document("public_access_block", PRIVATE)
    root.write_user_policy("server", POLICY, FULL)
    return Bench(of("server"), of("trimmed"), http)


@pytest.fixture(scope="module")
def impossible(users_gateway) -> set[str]:
    """What this version of Ceph refuses to a user whose own policy allows it."""
    traits = traits_of(users_gateway)
    may = {
        "send a form": traits.forms_by_user_policy,
        "copy a part": traits.copies_for_others,
    }
    return {step for step, possible in may.items() if not possible}


@pytest.mark.ceph
def test_without_the_policy_everything_is_denied(bench):
    assert denied_steps(bench) == set(STEPS)


@pytest.mark.ceph
def test_the_whole_policy_is_enough_for_all_that_ceph_can(bench, of, impossible):
    of("root").write_user_policy("trimmed", POLICY, FULL)
    assert denied_steps(bench) == impossible
    # The server copies what is its own.
    itself = Bench(bench.server, bench.server, bench.http)
    assert denied_steps(itself) == impossible - {"copy a part"}


def policy_of_the_bucket(principal: str) -> dict[str, Any]:
    who = {"AWS": [principal]}
    return {**FULL, "Statement": [{**each, "Principal": who} for each in FULL["Statement"]]}


@pytest.mark.ceph
def test_as_the_policy_of_the_bucket_it_is_enough_for_forms_too(users_gateway, of, http):
    bucket = f"bucket-{uuid.uuid4()}"
    owner, server = of("owner", bucket), of("server", bucket)
    owner.create_bucket()
    policy = json.loads(
        json.dumps(policy_of_the_bucket("arn:aws:iam:::user/server")).replace(BUCKET, bucket)
    )
    owner.write_document("policy", policy)
    owner.write_document("public_access_block", PRIVATE)
    assert denied_steps(Bench(server, server, http)) == set()


@pytest.mark.ceph
def test_a_policy_of_a_bucket_where_public_ones_are_blocked(users_gateway, of):
    bucket = f"bucket-{uuid.uuid4()}"
    owner = of("owner", bucket)
    owner.create_bucket()
    owner.write_document("public_access_block", PRIVATE)
    policy = policy_of_the_bucket("arn:aws:iam:::user/server")
    with pytest.raises(StoreDenied):
        owner.write_document("policy", policy_of_the_bucket("*"))
    if traits_of(users_gateway).blocks_only_public:
        owner.write_document("policy", policy)
        return
    with pytest.raises(StoreDenied):
        owner.write_document("policy", policy)


@pytest.mark.ceph
@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_needed_at_ceph(bench, of, impossible, action):
    of("root").write_user_policy("trimmed", POLICY, without(action))
    assert denied_steps(bench) == NEEDED_FOR[action] | impossible


SHOWN = {
    "s3:GetBucketLocation": "Region",
    "s3:GetBucketPublicAccessBlock": "Public access",
    "s3:GetBucketVersioning": "Versions",
}


@pytest.mark.ceph
@pytest.mark.parametrize(
    "missing", [[*SHOWN], *([action] for action in SHOWN), []], ids=["all", *SHOWN, "none"]
)
def test_what_is_shown_of_a_bucket_and_not_needed_has_rights_of_its_own(
    bench, of, users_gateway, missing
):
    policy = with_all_that_is_shown()
    for action in missing:
        policy = without(action, policy)
    of("root").write_user_policy("trimmed", POLICY, policy)
    unseen = {*missing}
    if not traits_of(users_gateway).access_block_has_a_right:
        unseen.add("s3:GetBucketPublicAccessBlock")
    assert set(describe(bench.trimmed).notes) == {
        f"{SHOWN[action]}: these keys may not read it ({action})." for action in unseen
    }


@pytest.mark.ceph
def test_acls_are_not_refused_where_that_would_refuse_every_object(users_gateway, of, http):
    owner = of("owner")
    itself = Bench(owner, owner, http)
    before = owner.read_document("public_access_block")
    assert denied_steps(itself) == set()
    owner.write_document("public_access_block", dict.fromkeys(PRIVATE, True))
    denied = "send a part" in denied_steps(itself)
    owner.write_document("public_access_block", before)
    assert denied is not traits_of(users_gateway).blocks_only_public
    assert denied_steps(itself) == set()


@pytest.mark.parametrize("allowed", [True, False])
def test_the_right_to_assume_the_role_is_needed(moto_store, enforcing_moto, allowed):
    account = "arn:aws:iam::123456789012"
    role, user = f"{account}:role/{allowed}", f"server-{allowed}"
    root = S3Store(BUCKET, connection(enforcing_moto))
    root.write_trust(str(allowed), trust_policy(f"{account}:user/{user}"))
    policy = server_policy(BUCKET, role if allowed else None)
    sts = sts_of(with_keys_of(root, moto_store, user, policy))
    status, _ = answer(sts.assume_role, RoleArn=role, RoleSessionName="me")
    assert status == (200 if allowed else 403)
