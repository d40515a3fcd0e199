# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who may assume a role: the server comes in, and nobody is put out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from oarepo_s3.core.policies import TRUST_SID, trust_policy
from oarepo_s3.provisioning.rights import change_trust

SERVER = "arn:aws:iam:::user/server"
OTHER = "arn:aws:iam:::user/backup"
OURS = trust_policy(SERVER)["Statement"][0]
THEIRS = {
    "Sid": "Theirs",
    "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam:::user/demo", OTHER]},
    "Action": ["sts:AssumeRole"],
}


class Kept:
    """A role, in memory."""

    def __init__(self, there: Mapping[str, Any] | None) -> None:
        self.there = there
        self.writes = 0

    def read_trust(self, role: str) -> Mapping[str, Any] | None:
        return self.there

    def write_trust(self, role: str, trust: Mapping[str, Any]) -> None:
        self.there = trust
        self.writes += 1


def trusting(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [*statements]}


def test_a_role_that_is_not_there_trusts_the_server_alone():
    role = Kept(None)
    assert change_trust(role, "uploader", trust_policy(SERVER), dry_run=False).needed
    assert role.there == trust_policy(SERVER)


@pytest.mark.parametrize("statement", [[THEIRS], THEIRS], ids=["list", "one"])
def test_whom_others_trust_stays_and_the_second_time_nothing_changes(statement):
    role = Kept({"Version": "2012-10-17", "Id": "theirs", "Statement": statement})
    for _ in range(2):
        change_trust(role, "uploader", trust_policy(SERVER), dry_run=False)
    assert role.there == {**trusting(THEIRS, OURS), "Id": "theirs"}
    assert role.writes == 1


def test_a_trial_writes_nothing():
    role = Kept(trusting(THEIRS))
    change = change_trust(role, "uploader", trust_policy(SERVER), dry_run=True)
    assert (change.needed, role.writes) == (True, 0)
    assert not any(line.startswith("-") for line in list(change.difference())[3:] if OTHER in line)


def test_another_server_takes_the_place_of_the_one_before():
    role = Kept(trusting(OURS, THEIRS))
    change_trust(role, "uploader", trust_policy("arn:aws:iam:::user/new"), dry_run=False)
    new = {**OURS, "Principal": {"AWS": "arn:aws:iam:::user/new"}}
    assert role.there == trusting(THEIRS, new)


@pytest.mark.parametrize("users", [SERVER, [SERVER], [OTHER, SERVER]])
@pytest.mark.parametrize("action", ["sts:AssumeRole", ["sts:TagSession", "sts:AssumeRole"]])
def test_a_server_whom_a_statement_of_others_trusts_is_not_added(users, action):
    role = Kept(trusting({**THEIRS, "Principal": {"AWS": users}, "Action": action}))
    assert not change_trust(role, "uploader", trust_policy(SERVER), dry_run=False).needed


@pytest.mark.parametrize(
    "changes",
    [
        {"Effect": "Deny"},
        {"Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}},
        {"Action": "sts:TagSession"},
        {"Principal": {"Service": SERVER}},
        {"Principal": "*"},
        {"Principal": {"AWS": f"{SERVER}2"}},
    ],
    ids=["deny", "condition", "action", "service", "everybody", "longer name"],
)
def test_a_statement_of_others_that_allows_less_or_says_something_else_is_no_trust(changes):
    theirs = {**THEIRS, "Principal": {"AWS": SERVER}, **changes}
    role = Kept(trusting(theirs))
    change_trust(role, "uploader", trust_policy(SERVER), dry_run=False)
    assert role.there == trusting(theirs, OURS)


def test_the_sid_is_one_that_iam_takes():
    assert OURS["Sid"] == TRUST_SID
    assert TRUST_SID.isalnum()
