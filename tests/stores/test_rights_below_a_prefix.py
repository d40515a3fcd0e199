# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The policies of a location below a prefix are enough for all that is done there, and open nothing
beside it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oarepo_s3.backends import Site
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreDenied
from oarepo_s3.core.policies import (
    compact,
    role_policy,
    server_policy,
    session_policy,
    trust_policy,
)
from oarepo_s3.provisioning.check import check_store
from oarepo_s3.provisioning.findings import Level
from oarepo_s3.provisioning.prepare import prepared
from oarepo_s3.provisioning.subject import Subject

from ..object_store import Store
from .ceph_traits import traits_of
from .conftest import connection
from .patient import ORIGIN
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
    without,
)
from .test_sessions import upload

pytestmark = pytest.mark.ceph

PREFIX = "some/where/"
BELOW = server_policy(BUCKET, prefix=PREFIX)
BESIDE = ["", "some/", "some/where-else/"]
OF_THE_BUCKET = {"list uploads", "read cors", "read lifecycle"}
"""What has no prefix."""


@pytest.fixture(scope="module")
def bench(of, http) -> Bench:
    """The users at the gateway."""
    of("owner").create_bucket()
    of("root").write_user_policy("server", POLICY, FULL)
    return Bench(of("server"), of("trimmed"), http, PREFIX)


@pytest.fixture(scope="module")
def impossible(users_gateway) -> set[str]:
    """What is refused here to everybody but the owner; the bucket itself cannot be looked for."""
    traits = traits_of(users_gateway)
    may = {
        "see the bucket": False,
        "send a form": traits.forms_by_user_policy,
        "copy a part": traits.copies_for_others,
    }
    return {step for step, possible in may.items() if not possible}


def test_the_policy_is_enough_below_the_prefix(bench, of, impossible):
    of("root").write_user_policy("trimmed", POLICY, BELOW)
    assert denied_steps(bench) == impossible


@pytest.mark.parametrize("beside", BESIDE)
def test_and_opens_nothing_beside_it(bench, of, beside):
    of("root").write_user_policy("trimmed", POLICY, BELOW)
    assert denied_steps(replace(bench, folder=beside)) == set(STEPS) - OF_THE_BUCKET
    for prefix in (beside, PREFIX.rstrip("/")):
        with pytest.raises(StoreDenied):
            list(bench.trimmed.list_objects(prefix))


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_is_needed(bench, of, impossible, action):
    of("root").write_user_policy("trimmed", POLICY, without(action, BELOW))
    assert denied_steps(bench) == NEEDED_FOR[action] | impossible


@pytest.fixture
def subject(users_gateway, of) -> Subject:
    """The location, as it is seen with keys that may no more than the policy says."""
    of("owner").create_bucket()
    of("root").write_user_policy("trimmed", POLICY, BELOW)
    place = Store(users_gateway.endpoint_url, "trimmedkey", "trimmedsecretsecret")
    return Subject(connection(place), Site(bucket=BUCKET, origins=(ORIGIN,)), prefix=PREFIX)


def test_the_check_of_the_location_misses_no_right(subject):
    report = check_store(subject)
    assert report.left_behind == []
    assert not [found.message for found in report.findings if "s3:" in found.message]
    failed = {each.check for each in report.findings if each.level is Level.FAILURE}
    assert failed <= {"cors"}


def test_a_look_for_what_is_not_there_alarms_nobody(subject):
    seen = []
    config = replace(subject.config, observer=lambda call, seconds, code: seen.append((call, code)))
    assert S3Store(BUCKET, config).head(f"{PREFIX}nothing") is None
    assert seen == [("HeadObject", None), ("ListObjectsV2", None)]


def test_setup_takes_the_keys_where_the_bucket_is_there(subject):
    store = S3Store(BUCKET, subject.config)
    with prepared(store, subject, dry_run=False) as done:
        assert done.bucket.created is False


def test_the_role_of_a_location_makes_keys_for_what_is_below_it_alone(users_gateway, of):
    assume = roles_of(users_gateway, of)
    for policy, key in (
        (session_policy(BUCKET, prefix=f"{PREFIX}mine"), f"{PREFIX}mine/a"),
        (session_policy(BUCKET, key=f"{PREFIX}one"), f"{PREFIX}one"),
    ):
        upload(assume(policy), key)
    store = assume(session_policy(BUCKET, prefix=f"{PREFIX}mine"))
    assert list(store.list_objects(f"{PREFIX}mine/"))
    for beside in ("other", "some/where-else"):
        store = assume(session_policy(BUCKET, prefix=beside))
        with pytest.raises(StoreDenied):
            upload(store, f"{beside}/a")
        with pytest.raises(StoreDenied):
            list(store.list_objects(f"{beside}/"))


def roles_of(users_gateway: Any, of: Any) -> Callable[[dict[str, Any]], S3Store]:
    """Make the role; return what gets the bucket with keys of it, for the policy of a session."""
    name = f"below-{uuid.uuid4().hex[:8]}"
    root = of("root")
    root.write_trust(name, trust_policy("arn:aws:iam:::user/server"))
    root.write_role_policy(name, POLICY, role_policy(BUCKET, prefix=PREFIX))
    place = Store(users_gateway.endpoint_url, "serverkey", "serversecretsecret")
    sts = sts_of(place)

    def assumed(policy: dict[str, Any]) -> S3Store:
        keys = sts.assume_role(
            RoleArn=f"arn:aws:iam:::role/{name}", RoleSessionName="me", Policy=compact(policy)
        )["Credentials"]
        temporary = Credentials(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], keys["Expiration"]
        )
        return S3Store(BUCKET, replace(connection(place), credentials=temporary))

    return assumed
