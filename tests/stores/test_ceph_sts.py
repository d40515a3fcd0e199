# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys of Ceph RGW, narrowed by a session policy, by version."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from ..object_store import BUCKET, Store
from ..services import CephRGW
from .ceph_traits import OK, Upload, answer, traits_of

pytestmark = pytest.mark.ceph

ROLE = "uploader"


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def compact(document: dict[str, Any]) -> str:
    """Write a policy without spaces."""
    return json.dumps(document, separators=(",", ":"))


ALL = policy({"Effect": "Allow", "Action": ["s3:*"], "Resource": ["arn:aws:s3:::*"]})


def below(prefix: str) -> dict[str, Any]:
    """Return the policy that lets write below a prefix."""
    here = f"arn:aws:s3:::{BUCKET}/{prefix}/*"
    return policy({"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": [here]})


MINE = below("mine")


@pytest.fixture(scope="module")
def gateway(ceph, tmp_path_factory) -> Iterator[CephRGW]:
    """A gateway of the tested version with STS, and a role for its user."""
    with CephRGW(tmp_path_factory.mktemp("sts"), sts=True, root=ceph.root) as made:
        trust = {"AWS": [f"arn:aws:iam:::user/{made.user}"]}
        may = {"Effect": "Allow", "Principal": trust, "Action": ["sts:AssumeRole"]}
        named = ["--role-name", ROLE]
        made.admin("role", "create", *named, "--assume-role-policy-doc", compact(policy(may)))
        granted = ["--policy-name", "all", "--policy-doc", compact(ALL)]
        made.admin("role-policy", "put", *named, *granted)
        yield made


@pytest.fixture(scope="module")
def store(gateway) -> Store:
    """The gateway's store with a bucket."""
    made = Store.at(gateway)
    made.client().create_bucket(Bucket=made.bucket)
    return made


@pytest.fixture
def sts(gateway) -> Iterator[Any]:
    """A client that asks for temporary keys."""
    client = boto3.client(
        "sts",
        endpoint_url=gateway.endpoint_url,
        aws_access_key_id=gateway.access_key,
        aws_secret_access_key=gateway.secret_key,
        region_name="us-east-1",
    )
    yield client
    client.close()


def wish(document: str) -> dict[str, Any]:
    """Return the parameters of AssumeRole."""
    return {"RoleArn": f"arn:aws:iam:::role/{ROLE}", "RoleSessionName": "me", "Policy": document}


def limited_client(store: Store, sts: Any, prefix: str = "mine") -> Any:
    """Return a client whose keys may write below a prefix only."""
    keys = sts.assume_role(**wish(compact(below(prefix))))["Credentials"]
    return boto3.client(
        "s3",
        endpoint_url=store.endpoint_url,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
        region_name="us-east-1",
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )


@pytest.mark.parametrize(("prefix", "status"), [("mine", 200), ("other", 403)])
def test_a_part_url_of_temporary_keys_is_good_for_what_the_session_policy_allows(
    store, sts, http, key, prefix, status
):
    upload = Upload(store.client(), http, store.bucket, f"{prefix}/{key}")
    limited = limited_client(store, sts)
    url = limited.generate_presigned_url("upload_part", {**upload.it, "PartNumber": 1})
    assert upload.put(url, b"a part")[0] == status
    assert len(upload.parts()) == (1 if status == 200 else 0)


def test_a_session_policy_with_spaces(gateway, sts):
    status, _ = answer(sts.assume_role, **wish(json.dumps(MINE)))
    assert status == (200 if traits_of(gateway).policy_with_spaces else 400)
    assert answer(sts.assume_role, **wish(compact(MINE))) == OK


@pytest.mark.parametrize(("written", "other"), [("run[12]", "run1"), ("run\\1", "run1")])
def test_a_policy_for_a_prefix_with_brackets_or_a_backslash_may_be_one_for_another(
    gateway, store, sts, written, other
):
    """Session policies of ours have none."""
    limited = limited_client(store, sts, written)
    classes = traits_of(gateway).policy_with_classes
    for prefix, allowed in ((written, not classes), (other, classes)):
        status, _ = answer(limited.put_object, Bucket=BUCKET, Key=f"{prefix}/x", Body=b"x")
        assert status == (200 if allowed else 403), prefix
