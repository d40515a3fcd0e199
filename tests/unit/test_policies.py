# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Policies say the least that is enough, and nothing of them is read as more than it says.

What stores make of them is tested in ``tests/stores``.
"""

from __future__ import annotations

import json
import re

import pytest
from moto.iam.policy_validation import IAMPolicyDocumentValidator

from oarepo_s3.core.errors import InvalidRequest
from oarepo_s3.core.policies import (
    MAX_SESSION_POLICY,
    compact,
    role_policy,
    server_policy,
    session_policy,
    trust_policy,
)
from oarepo_s3.provisioning.rights import policy_name

ROLE = "arn:aws:iam:::role/uploader"
WRITE = [
    "s3:AbortMultipartUpload",
    "s3:GetObject",
    "s3:ListMultipartUploadParts",
    "s3:PutObject",
]

POLICIES = {
    "server": server_policy("repo"),
    "server with a role": server_policy("repo", ROLE),
    "server of a prefix": server_policy("repo", ROLE, prefix="some/where/"),
    "role": role_policy("repo"),
    "role of a prefix": role_policy("repo", prefix="some/where/"),
    "session of a key": session_policy("repo", key="ab/cd/data"),
    "session of a prefix": session_policy("repo", prefix="scopes/mine"),
}


@pytest.mark.parametrize("name", POLICIES)
def test_policies_are_valid(name):
    IAMPolicyDocumentValidator(json.dumps(POLICIES[name])).validate()


def test_a_policy_is_written_without_spaces_in_ascii():
    written = compact(session_policy("repo", prefix="dílo s mezerou"))
    assert written.isascii()
    assert " " not in written
    assert json.loads(written) == session_policy("repo", prefix="dílo s mezerou")


def test_a_session_for_a_key_is_for_that_object_alone():
    assert session_policy("repo", key="ab/cd/data") == {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": WRITE, "Resource": "arn:aws:s3:::repo/ab/cd/data"}
        ],
    }


def test_a_tenant_of_ceph_stands_where_an_arn_has_the_account():
    (statement,) = session_policy("cesnet:repo", key="data")["Statement"]
    assert statement["Resource"] == "arn:aws:s3::cesnet:repo/data"


@pytest.mark.parametrize("prefix", ["scopes/mine", "scopes/mine/", "scopes/mine//"])
def test_a_session_for_a_prefix_is_for_what_is_below_it_and_for_its_list(prefix):
    assert session_policy("repo", prefix=prefix)["Statement"] == [
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket"],
            "Resource": "arn:aws:s3:::repo",
            "Condition": {"StringLike": {"s3:prefix": ["scopes/mine/*"]}},
        },
        {"Effect": "Allow", "Action": WRITE, "Resource": "arn:aws:s3:::repo/scopes/mine/*"},
    ]


@pytest.mark.parametrize("name", ["a*", "a?b", "*", "${aws:username}", "a/${*}", "a[bc]", "a\\b"])
@pytest.mark.parametrize("kind", ["key", "prefix"])
def test_a_session_takes_no_wildcards_and_no_variables(kind, name):
    with pytest.raises(InvalidRequest, match=r"has '\*'"):
        session_policy("repo", **{kind: name})


@pytest.mark.parametrize("make", [server_policy, role_policy])
def test_the_policies_of_a_location_take_no_wildcards_either(make):
    for prefix in ("a*", "a[bc]/"):
        with pytest.raises(InvalidRequest, match=r"has '\*'"):
            make("repo", prefix=prefix)


@pytest.mark.parametrize("kind", ["server", "role"])
def test_a_location_below_a_prefix_opens_what_is_below_it_and_its_list(kind):
    listing, *others = POLICIES[f"{kind} of a prefix"]["Statement"]
    assert listing == session_policy("repo", prefix="some/where")["Statement"][0]
    below = [each["Resource"] for each in others if "s3:PutObject" in each["Action"]]
    assert below == ["arn:aws:s3:::repo/some/where/*"]
    whole = {
        action
        for each in others
        if each["Resource"] == "arn:aws:s3:::repo"
        for action in each["Action"]
    }
    assert whole == (
        {"s3:GetBucketCORS", "s3:GetLifecycleConfiguration", "s3:ListBucketMultipartUploads"}
        if kind == "server"
        else set()
    )


NAMES = {
    ("repo", ""): "oarepo-s3-repo",
    ("repo", "sub"): "oarepo-s3-repo,sub",
    ("repo", "some/where/"): "oarepo-s3-repo,some,where",
    ("repo", "some,where"): "oarepo-s3-repo,some=2Cwhere",
    ("repo", "č_"): "oarepo-s3-repo,=C4=8D=5F",
    ("repo-sub", ""): "oarepo-s3-repo-sub",
    ("cesnet:repo", ""): "oarepo-s3-cesnet=3Arepo",
}


def test_policies_of_locations_have_names_of_their_own_which_stores_take():
    long = [policy_name("repo", f"{'x' * 200}{end}") for end in "ab"]
    assert {place: policy_name(*place) for place in NAMES} == NAMES
    assert len({*NAMES.values(), *long}) == len(NAMES) + 2
    # RGW 16.2 takes less than IAM does: [A-Za-z0-9:=,.@-] (measured).
    assert all(re.fullmatch(r"[A-Za-z0-9=,.@-]{1,128}", name) for name in [*NAMES.values(), *long])


@pytest.mark.parametrize("given", [{"key": ""}, {"prefix": ""}, {"prefix": "/"}])
def test_a_session_for_nothing_would_be_for_all(given):
    with pytest.raises(InvalidRequest, match="empty"):
        session_policy("repo", **given)


@pytest.mark.parametrize("given", [{}, {"key": "a", "prefix": "b"}])
def test_a_session_is_for_a_key_or_for_a_prefix(given):
    with pytest.raises(InvalidRequest, match="key or for a prefix"):
        session_policy("repo", **given)


@pytest.mark.parametrize("kind", ["key", "prefix"])
def test_a_session_policy_has_as_many_characters_as_sts_takes(kind):
    around = len(compact(session_policy("repo", **{kind: "x"}))) - (1 if kind == "key" else 2)
    longest = (MAX_SESSION_POLICY - around) // (1 if kind == "key" else 2)
    assert len(compact(session_policy("repo", **{kind: "x" * longest}))) <= MAX_SESSION_POLICY
    with pytest.raises(InvalidRequest, match="too long"):
        session_policy("repo", **{kind: "x" * (longest + 1)})


def test_characters_beyond_ascii_count_as_they_are_written():
    with pytest.raises(InvalidRequest, match="too long"):
        session_policy("repo", key="ř" * 340)


def test_the_role_may_what_sessions_ask_for_and_no_more():
    asked = {
        action
        for name in ("session of a key", "session of a prefix")
        for statement in POLICIES[name]["Statement"]
        for action in statement["Action"]
    }
    granted = {
        action for statement in POLICIES["role"]["Statement"] for action in statement["Action"]
    }
    assert granted == asked
    assert "s3:DeleteObject" not in granted


def test_the_server_assumes_the_role_where_there_is_one():
    assert "sts:AssumeRole" not in compact(server_policy("repo"))
    assert server_policy("repo", ROLE)["Statement"][-1] == {
        "Effect": "Allow",
        "Action": ["sts:AssumeRole"],
        "Resource": ROLE,
    }


def test_one_user_is_trusted():
    user = "arn:aws:iam::123456789012:user/server"
    (statement,) = trust_policy(user)["Statement"]
    assert statement["Principal"] == {"AWS": user}
    assert statement["Action"] == "sts:AssumeRole"


@pytest.mark.parametrize("principal", ["*", "server", "", "arn:aws:iam:::user/*"])
def test_all_the_world_is_not_trusted(principal):
    with pytest.raises(InvalidRequest, match="is not the ARN of one user"):
        trust_policy(principal)
