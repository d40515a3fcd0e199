# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 policy --apply``: documents joined with what the store has."""

from __future__ import annotations

import json

import pytest

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core import policies
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.rights import policy_name

from ...conftest import REAL
from ...stores.conftest import connection
from .conftest import ORIGIN, ROLE, USER, printed


def test_rules_are_applied_once_and_others_stay(run, place, client, store):
    if place == "local":
        for kind, remedy in (("cors", "--allow-origin"), ("lifecycle", "orphans")):
            done = run(kind, "--apply", status=1)
            assert "The store does not know this" in done.stderr
            assert remedy in done.stderr
        return
    theirs = {"ID": "theirs", "AllowedOrigins": ["https://x.org"], "AllowedMethods": ["GET"]}
    client.put_bucket_cors(Bucket=store.bucket, CORSConfiguration={"CORSRules": [theirs]})

    trial = run("cors", "--dry-run")
    assert "would be changed" in trial.stdout
    assert f'+        "{ORIGIN}"' in trial.stdout
    assert client.get_bucket_cors(Bucket=store.bucket)["CORSRules"] == [theirs]

    data = printed(run("cors", "--apply", "--json"))
    assert (data["changed"], data["dry_run"]) == (True, False)
    ours, other = client.get_bucket_cors(Bucket=store.bucket)["CORSRules"]
    assert (ours["ID"], ours["AllowedOrigins"], other) == (documents.CORS_RULE, [ORIGIN], theirs)

    assert "already as it should be" in run("cors", "--apply").stdout
    assert printed(run("cors", "--apply", "--json"))["changed"] is False
    client.delete_bucket_cors(Bucket=store.bucket)


def test_lifecycle_rules_of_two_locations_and_others_live_together(run, place, client, store):
    if place == "local":
        pytest.skip("rclone's server has no lifecycle rules")
    theirs = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "t/"}, "Expiration": {"Days": 3}}
    client.put_bucket_lifecycle_configuration(
        Bucket=store.bucket, LifecycleConfiguration={"Rules": [theirs]}
    )
    for words in (["lifecycle"], ["lifecycle", "--location", "below"]):
        assert "would be changed" in run(*words, "--apply", "--dry-run").stdout
        assert "lifecycle" in run(*words, "--apply").stdout.lower()
    found = client.get_bucket_lifecycle_configuration(Bucket=store.bucket)["Rules"]
    assert len(found) == 5
    assert theirs in found
    for words in (["lifecycle"], ["lifecycle", "--location", "below"]):
        assert "already as it should be" in run(*words, "--apply").stdout
    client.delete_bucket_lifecycle(Bucket=store.bucket)


def test_who_may_not_give_rights_hears_what_to_do(run, place):
    done = run("server", "--apply", "--principal", USER, status=1)
    if place == "real":
        assert "INVENIO_S3_ACCESS_KEY_ID" in done.stderr
    assert "secret" not in done.output.lower().replace("inveNIO_S3_secret_access_key".lower(), "")


@pytest.fixture
def rights(place, request) -> None:
    """Let the keys of the place give rights."""
    if place == "local":
        pytest.skip("rclone's server has no users")
    gateway = request.getfixturevalue("ceph")
    may = ["--uid", gateway.user, "--caps", "user-policy=*;roles=*"]
    gateway.admin("caps", "add", *may)
    yield
    gateway.admin("caps", "rm", *may)


@pytest.mark.usefixtures("rights")
def test_rights_are_given_once(run):
    server = ("server", "--principal", USER)
    for words in (server, ("trust", "--principal", USER), ("role",)):
        assert "would be changed" in run(*words, "--dry-run").stdout
        assert "would be changed" in run(*words, "--dry-run", "--apply").stdout
        done = run(*words, "--apply")
        assert ": changed." in done.stdout
        assert "already as it should be" in run(*words, "--apply").stdout
    other = run("trust", "--principal", f"{USER}2", "--apply").stdout
    assert f'-        "AWS": "{USER}"' in other
    assert f'+        "AWS": "{USER}2"' in other


@pytest.mark.usefixtures("rights")
def test_whom_a_role_trusts_already_stays_trusted(run, request):
    gateway = request.getfixturevalue("ceph")
    (theirs,) = policies.trust_policy("arn:aws:iam:::user/backup")["Statement"]
    theirs["Sid"] = "Theirs"
    document = json.dumps({"Version": "2012-10-17", "Statement": [theirs]})
    role = ("--role-name", "shared")
    gateway.admin("role", "create", *role, "--assume-role-policy-doc", document)
    words = ("trust", "--role", "arn:aws:iam:::role/shared", "--principal", USER, "--apply")
    assert ": changed." in run(*words).stdout
    assert "already as it should be" in run(*words).stdout
    said = json.loads(gateway.admin("role", "get", *role))["AssumeRolePolicyDocument"]
    assert json.loads(said)["Statement"] == [theirs, policies.trust_policy(USER)["Statement"][0]]


@pytest.mark.usefixtures("rights")
def test_locations_in_one_bucket_have_policies_of_their_own(run, store):
    for _ in range(2):
        for words in ([], ["--location", "below"], ["--prefix", "third"]):
            run("server", "--principal", USER, "--apply", *words)
            run("role", "--apply", *words)
    there = S3Store(store.bucket, connection(store))
    for prefix in ("", "some/where", "third"):
        name, below = policy_name(store.bucket, prefix), {"prefix": prefix}
        wanted = policies.server_policy(store.bucket, ROLE, **below)
        assert there.read_user_policy("demo", name) == wanted
        wanted = policies.role_policy(store.bucket, **below)
        assert there.read_role_policy("uploader", name) == wanted


@pytest.mark.usefixtures("rights")
def test_rights_for_nobody_are_refused(run):
    done = run("server", "--apply", "--principal", "arn:aws:iam:::user/nobody", status=1)
    assert "There is no user nobody" in done.stderr
    done = run("role", "--apply", "--role", "arn:aws:iam:::role/none", status=1)
    trust = "invenio s3 policy trust --role arn:aws:iam:::role/none --principal ARN --apply"
    assert f"There is no role none: `{trust}` makes it" in done.stderr


@pytest.mark.parametrize("place", [REAL], indirect=True, scope="module")
@pytest.mark.parametrize("command", ["cors --origin https://a", "lifecycle"])
def test_a_bucket_that_is_not_there_is_said_to_be_made_first(run, command):
    done = run(*command.split(), "--bucket", "not-there", "--apply", status=1)
    assert "There is no bucket not-there: `invenio s3 bucket create not-there`" in done.stderr
