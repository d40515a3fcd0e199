# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 policy``: documents filled in from the instance, and printed."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from oarepo_s3.cli import s3
from oarepo_s3.core import policies
from oarepo_s3.provisioning import documents

from .conftest import ORIGIN, ROLE, USER, printed


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
