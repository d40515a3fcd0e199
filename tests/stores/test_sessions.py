# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys with a session's policy can upload there and do nothing else; giving rights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import urllib3

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreDenied, StoreMisconfigured
from oarepo_s3.core.policies import compact, role_policy, session_policy, trust_policy

from ..object_store import Store
from .conftest import connection
from .rights import BUCKET, FULL, POLICY, sts_of
from .subjects import LIFETIME

pytestmark = pytest.mark.ceph

SESSIONS = ["scopes/mine", "with space", "plus+and&", "dílo/č"]
"""Prefixes whose policies RGW 16.2 would not take with spaces."""


@pytest.fixture(scope="module")
def assume(users_gateway, of) -> Callable[[dict[str, Any]], S3Store]:
    """Get the bucket with temporary keys of the role: call it with the policy of the session."""
    of("owner").create_bucket()
    root = of("root")
    root.write_trust("uploader", trust_policy("arn:aws:iam:::user/server"))
    root.write_role_policy("uploader", POLICY, role_policy(BUCKET))
    place = Store(users_gateway.endpoint_url, "serverkey", "serversecretsecret")
    sts = sts_of(place)

    def assumed(policy: dict[str, Any]) -> S3Store:
        keys = sts.assume_role(
            RoleArn="arn:aws:iam:::role/uploader", RoleSessionName="me", Policy=compact(policy)
        )["Credentials"]
        temporary = Credentials(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], keys["Expiration"]
        )
        return S3Store(BUCKET, replace(connection(place), credentials=temporary))

    return assumed


def upload(store: S3Store, key: str) -> None:
    """Do all that an upload takes."""
    upload_id = store.create_upload(key, content_type=None, metadata={})
    store.abort_upload(key, upload_id)
    upload_id = store.create_upload(key, content_type=None, metadata={})
    url = store.part_signer(key, upload_id, lifetime=LIFETIME).sign(1)
    assert urllib3.request("PUT", url, body=b"x").status == 200
    store.complete_upload(key, upload_id, store.list_parts(key, upload_id).parts)
    assert b"".join(store.stream(key)) == b"x"


@pytest.mark.parametrize("prefix", SESSIONS)
def test_a_session_for_a_prefix_can_upload_and_list_there_and_nowhere_else(assume, prefix):
    store = assume(session_policy(BUCKET, prefix=prefix))
    upload(store, f"{prefix}/a/b")
    assert [found.key for found in store.list_objects(f"{prefix}/")] == [f"{prefix}/a/b"]
    for key in ("other/a", f"{prefix}x", prefix):
        with pytest.raises(StoreDenied):
            upload(store, key)
    # Without the slash it would list what lies beside it, too.
    for outside in ("", "other/", f"{prefix}x", prefix):
        with pytest.raises(StoreDenied):
            list(store.list_objects(outside))
    with pytest.raises(StoreDenied):
        store.delete(f"{prefix}/a/b")


@pytest.mark.parametrize("key", [f"{prefix}/the one" for prefix in SESSIONS])
def test_a_session_for_a_key_can_upload_that_object_alone(assume, key):
    store = assume(session_policy(BUCKET, key=key))
    upload(store, key)
    for other in (f"{key}x", f"{key}/x", key[:-1], "other"):
        with pytest.raises(StoreDenied):
            upload(store, other)
    with pytest.raises(StoreDenied):
        list(store.list_objects(key))
    with pytest.raises(StoreDenied):
        store.delete(key)


def test_rights_are_read_as_they_were_written(of):
    root = of("root")
    assert root.read_user_policy("owner", POLICY) is None
    root.write_user_policy("owner", "another", FULL)
    assert root.read_user_policy("owner", POLICY) is None
    assert root.read_user_policy("owner", "another") == FULL
    assert root.read_user_policy("nobody", POLICY) is None
    assert root.read_trust("new") is None
    assert root.read_role_policy("new", POLICY) is None
    for user in ("one", "two"):
        trust = trust_policy(f"arn:aws:iam:::user/{user}")
        root.write_trust("new", trust)
        assert root.read_trust("new") == trust
    root.write_role_policy("new", POLICY, role_policy(BUCKET))
    assert root.read_role_policy("new", POLICY) == role_policy(BUCKET)
    assert root.read_role_policy("new", "another") is None


def test_rights_are_neither_read_nor_given_by_just_anybody(of):
    server = of("server")
    with pytest.raises(StoreDenied):
        server.write_user_policy("server", POLICY, FULL)
    with pytest.raises(StoreDenied):
        server.read_user_policy("server", POLICY)
    with pytest.raises(StoreDenied):
        server.write_trust("own", trust_policy("arn:aws:iam:::user/server"))
    with pytest.raises(StoreMisconfigured, match="NoSuchEntity"):
        of("root").write_user_policy("nobody", POLICY, FULL)
