# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 policy``: documents filled in from the instance, printed and applied."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

import pytest
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.cli import s3
from oarepo_s3.core import policies
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.rights import policy_name

from ..conftest import REAL
from ..stores.conftest import connection

ORIGIN = "https://repo.example.org"
ROLE = "arn:aws:iam:::role/uploader"
USER = "arn:aws:iam:::user/demo"


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """An instance with pages and an upload role."""
    app_config.update(SITE_UI_URL=f"{ORIGIN}/some/page", OAREPO_S3_UPLOAD_ROLE=ROLE)
    return app_config


@pytest.fixture(autouse=True)
def _locations(location, store):
    """The default location, and another one below a prefix of the same bucket."""
    if Location.get_by_name("below") is None:
        db.session.add(Location(name="below", uri=f"s3://{store.bucket}/some/where"))
        db.session.commit()


@pytest.fixture
def client(store) -> Any:
    """A plain client of the store."""
    made = store.client()
    yield made
    made.close()


@pytest.fixture
def run(app) -> Any:
    """Run a command: call it with its words; the exit status is compared."""

    def invoke(*words: str, status: int = 0) -> Any:
        done = app.test_cli_runner().invoke(s3, ["policy", *words])
        assert done.exit_code == status, done.output
        return done

    return invoke


def printed(done: Any) -> Any:
    return json.loads(done.stdout)


def test_documents_are_filled_in_from_the_instance(run, store):
    bucket = store.bucket
    assert printed(run("cors")) == documents.cors([ORIGIN])
    assert printed(run("lifecycle")) == documents.lifecycle("", 7)
    assert printed(run("server")) == policies.server_policy(bucket, ROLE)
    assert printed(run("role")) == policies.role_policy(bucket)
    assert printed(run("trust", "--principal", USER)) == policies.trust_policy(USER)


def test_documents_are_filled_in_from_a_location(run, store):
    assert printed(run("lifecycle", "--location", "below")) == documents.lifecycle("some/where/", 7)
    assert printed(run("session", "--location", "below")) == policies.session_policy(
        store.bucket, prefix="some/where"
    )


@pytest.mark.parametrize("words", ["cors", "lifecycle", "server", "role", "session --prefix x"])
def test_all_documents_are_printed_as_json_also_where_that_is_said(run, words):
    assert printed(run(*words.split(), "--json")) == printed(run(*words.split()))


def test_options_come_before_the_instance(run):
    assert printed(run("cors", "--origin", "http://a", "--origin", "http://b/")) == documents.cors(
        ["http://a", "http://b"]
    )
    for prefix in ("x/", "x"):
        assert printed(run("lifecycle", "--prefix", prefix, "--days", "9")) == documents.lifecycle(
            "x/", 9
        )
    assert printed(run("lifecycle", "--prefix", "", "--location", "below")) == documents.lifecycle(
        "", 7
    )
    assert printed(run("server", "--bucket", "other", "--role", "arn:r")) == policies.server_policy(
        "other", "arn:r"
    )
    assert printed(
        run("session", "--location", "below", "--key", "a/b")
    ) == policies.session_policy("oarepo-test", key="a/b")


def test_the_settings_name_the_origins(run, app, monkeypatch):
    monkeypatch.setitem(app.config, "OAREPO_S3_ORIGINS", ["https://one.org", "https://two.org/"])
    assert printed(run("cors")) == documents.cors(["https://one.org", "https://two.org"])


def test_origins_of_the_settings_are_those_that_browsers_send(run, app, monkeypatch):
    sent = documents.cors(["https://xn--pklad-zsa96e.cz"])
    monkeypatch.setitem(app.config, "OAREPO_S3_ORIGINS", ["https://příklad.cz"])
    assert printed(run("cors")) == sent
    monkeypatch.setitem(app.config, "OAREPO_S3_ORIGINS", [])
    monkeypatch.setitem(app.config, "SITE_UI_URL", "https://příklad.cz/some/page")
    assert printed(run("cors")) == sent


@pytest.mark.parametrize(
    ("setting", "value"),
    [("OAREPO_S3_ORIGINS", ["https://a.org/b"]), ("SITE_UI_URL", "https://u@a.org/b")],
)
def test_what_is_no_origin_in_the_settings_is_said_with_their_name(
    run, app, monkeypatch, setting, value
):
    monkeypatch.setitem(app.config, setting, value)
    assert f"({setting}: " in run("cors", status=1).stderr


def test_the_rule_waits_longer_than_uploads_may_take(run, app, monkeypatch):
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_LIFETIME", 20 * 24 * 3600)
    assert printed(run("lifecycle")) == documents.lifecycle("", 21)
    assert "has to wait" in run("lifecycle", "--days", "20", status=2).stderr


@pytest.mark.parametrize("command", ["policy cors", "check"])
def test_that_origins_may_be_several_is_said(app, command):
    done = app.test_cli_runner().invoke(s3, [*command.split(), "--help"])
    assert "may be given several times" in " ".join(done.stdout.split())


def test_cors_is_printed_as_xml(run):
    done = run("cors", "--format", "xml")
    assert done.stdout.rstrip("\n") == documents.cors_xml(documents.cors([ORIGIN]))
    assert ElementTree.fromstring(done.stdout).tag.endswith("}CORSConfiguration")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("cors --location nowhere", "no location 'nowhere'"),
        ("cors --location below --bucket b", "not both"),
        ("session", "Name a --key or a --prefix"),
        ("trust", "--principal"),
        ("server --apply", "--principal"),
        ("cors --format yaml", "yaml"),
        ("cors --format xml --json", "--format xml"),
        ("cors --format xml --apply", "--format xml"),
        ("cors --format xml --dry-run", "--format xml"),
        ("lifecycle --days 0", "--days"),
    ],
)
def test_a_wrong_call_is_a_matter_of_usage(run, words, complaint):
    done = run(*words.split(), status=2)
    assert complaint in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("cors --origin nothing", "is no origin"),
        ("session --prefix a*", "has '*'"),
        ("server --prefix a*", "has '*'"),
        ("trust --principal *", "not the ARN of one user"),
        ("trust --apply --principal arn:aws:iam:::user/a --role arn:aws:iam:::user/b", "of a role"),
    ],
)
def test_what_is_no_good_is_refused_in_a_sentence(run, words, complaint):
    done = run(*words.split(), status=2)
    assert complaint in " ".join(done.stderr.split())
    assert "\nError: " in done.stderr
    assert done.stdout == ""


def test_without_an_origin_there_is_no_rule(run, app, monkeypatch):
    monkeypatch.setitem(app.config, "SITE_UI_URL", "")
    assert "OAREPO_S3_ORIGINS" in run("cors", status=2).stderr


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
