# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The documents of each S3 tool; tests/tools has the tools themselves read them."""

from __future__ import annotations

import configparser
import json
import re
import shlex
import subprocess
from typing import Any

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oarepo_s3.core.tool_configs import (
    FORMATS,
    ToolAccess,
    ToolConfigError,
    document,
    profile_name,
    usage,
)

VALUES: dict[str, Any] = {
    "name": "user.name:dataset",
    "endpoint_url": "https://s3.example.org:8443",
    "region": "us-east-1",
    "bucket": "repo",
    "access_key": "AKIA",
    "secret_key": "se+cr/et=",
    "token": "to+k/en==",
    "expires_at": "2030-01-31T12:00:00Z",
    "prefix": "user.name/dataset/",
    "provider": "ceph",
}

# The struct aliasConfigV10 of mc's sources, and its rule for names.
MC_SCHEMA = {
    "type": "object",
    "required": ["version", "aliases"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "10"},
        "aliases": {
            "type": "object",
            "propertyNames": {"pattern": "^[a-zA-Z][a-zA-Z0-9-_]+$"},
            "additionalProperties": {
                "type": "object",
                "required": ["url", "accessKey", "secretKey", "api", "path"],
                "additionalProperties": False,
                "properties": {
                    # No path: mc would take it for a bucket.
                    "url": {"type": "string", "pattern": "^https?://[^/]+$"},
                    "accessKey": {"type": "string", "minLength": 3},
                    "secretKey": {"type": "string", "minLength": 8},
                    "sessionToken": {"type": "string", "minLength": 1},
                    "api": {"enum": ["S3v4", "S3v2"]},
                    "path": {"enum": ["auto", "on", "off", "dns", "path"]},
                },
            },
        },
    },
}


def access(**values: Any) -> ToolAccess:
    return ToolAccess(**{**VALUES, **values})


def ini(text: str) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(default_section="")
    parser.read_string(text)
    return parser


@pytest.mark.parametrize(
    ("name", "profile"),
    [
        ("user.name:dataset", "user-name-dataset"),
        ("a:b", "a-b"),
        ("kept_as-it-Is9", "kept_as-it-Is9"),
        ("9lives:data", "s3-9lives-data"),
        ("é:data", "s3---data"),
        ("a", "s3-a"),
        ("", "s3-"),
        ("x]\n[default]\nkey = 1", "x---default--key---1"),
    ],
)
def test_a_name_becomes_one_that_is_legal_in_all_tools(name, profile):
    assert profile_name(name) == profile


@given(st.text())
def test_any_name_makes_one_entry_and_nothing_else(name):
    profile = profile_name(name)
    assert re.fullmatch("[a-zA-Z][a-zA-Z0-9_-]+", profile)
    assert profile_name(profile) == profile
    made = access(name=profile)
    assert ini(document(made, "rclone")).sections() == [profile]
    assert ini(document(made, "s3cmd")).sections() == ["default"]
    assert ini(document(made, "aws")).sections() == [f"profile {profile}", f"services {profile}"]


def test_rclone():
    assert document(access(), "rclone") == (
        "[user-name-dataset]\n"
        "# oarepo-s3: s3://repo/user.name/dataset/ (until 2030-01-31T12:00:00Z)\n"
        "type = s3\n"
        "provider = Ceph\n"
        "env_auth = false\n"
        "access_key_id = AKIA\n"
        "secret_access_key = se+cr/et=\n"
        "session_token = to+k/en==\n"
        "endpoint = https://s3.example.org:8443\n"
        "region = us-east-1\n"
        "acl = private\n"
        "force_path_style = true\n"
        "no_check_bucket = true\n"
    )


@pytest.mark.parametrize(
    ("provider", "name"),
    [("aws", "AWS"), ("ceph", "Ceph"), ("minio", "Minio"), ("other", "Other"), ("new", "Other")],
)
def test_rclone_has_a_name_for_each_kind_of_store(provider, name):
    text = document(access(provider=provider), "rclone")
    assert ini(text)["user-name-dataset"]["provider"] == name
    printed = json.loads(document(access(provider=provider), "json"))["provider"]
    assert printed == name.lower()


def test_aws_has_keys_and_address_in_one_file():
    assert document(access(), "aws") == (
        "[profile user-name-dataset]\n"
        "# oarepo-s3: s3://repo/user.name/dataset/ (until 2030-01-31T12:00:00Z)\n"
        "aws_access_key_id = AKIA\n"
        "aws_secret_access_key = se+cr/et=\n"
        "aws_session_token = to+k/en==\n"
        "region = us-east-1\n"
        "services = user-name-dataset\n"
        "request_checksum_calculation = when_required\n"
        "response_checksum_validation = when_required\n"
        "s3 = \n"
        "    signature_version = s3v4\n"
        "    addressing_style = path\n"
        "\n"
        "[services user-name-dataset]\n"
        "# oarepo-s3: s3://repo/user.name/dataset/ (until 2030-01-31T12:00:00Z)\n"
        "s3 = \n"
        "    endpoint_url = https://s3.example.org:8443\n"
    )


@pytest.mark.parametrize(
    ("url", "host", "https"),
    [
        ("https://s3.example.org", "s3.example.org", "True"),
        ("http://127.0.0.1:8000/", "127.0.0.1:8000", "False"),
    ],
)
def test_s3cmd(url, host, https):
    settings = dict(ini(document(access(endpoint_url=url), "s3cmd"))["default"])
    assert settings == {
        "access_key": "AKIA",
        "secret_key": "se+cr/et=",
        "access_token": "to+k/en==",
        "host_base": host,
        "host_bucket": host,
        "bucket_location": "us-east-1",
        "use_https": https,
        "signature_v2": "False",
    }


@pytest.mark.parametrize("token", ["token", None])
def test_mc(token):
    config = json.loads(
        document(access(token=token, secret_key="long enough".replace(" ", "")), "mc")
    )
    jsonschema.validate(config, MC_SCHEMA)
    (alias,) = config["aliases"].items()
    assert alias[0] == "user-name-dataset"
    assert alias[1]["url"] == "https://s3.example.org:8443"
    assert alias[1].get("sessionToken") == token


def test_mc_does_not_get_the_slash_at_the_end_of_an_address():
    made = access(endpoint_url="https://s3.example.org/", secret_key="longenough")
    jsonschema.validate(json.loads(document(made, "mc")), MC_SCHEMA)


@pytest.mark.parametrize("format", ["mc", "s3cmd"])
def test_a_store_below_a_path_is_refused_where_the_tool_knows_none(format):
    with pytest.raises(ToolConfigError, match="choose another format"):
        document(access(endpoint_url="https://example.org/s3"), format)
    assert "https://example.org/s3\n" in document(
        access(endpoint_url="https://example.org/s3"), "aws"
    )


@pytest.mark.parametrize(
    ("place", "name", "value"),
    [
        ({"prefix": "it's $(HOME)/`x`"}, "OAREPO_S3_PREFIX", "it's $(HOME)/`x`/"),
        ({"prefix": None, "key": "it's/1"}, "OAREPO_S3_KEY", "it's/1"),
    ],
    ids=["prefix", "key"],
)
def test_env_is_what_a_shell_reads(place, name, value):
    text = document(access(**place), "env")
    shown = subprocess.run(
        ["sh", "-c", f"{text}\nenv -0"], capture_output=True, check=True, text=True, env={}
    ).stdout
    found = dict(line.split("=", 1) for line in shown.split("\0") if line)
    expected = {
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "se+cr/et=",
        "AWS_SESSION_TOKEN": "to+k/en==",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL_S3": "https://s3.example.org:8443",
        "AWS_REQUEST_CHECKSUM_CALCULATION": "when_required",
        "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
        "OAREPO_S3_BUCKET": "repo",
        name: value,
    }
    assert found.items() >= expected.items()


def test_json_is_what_the_api_says_with_the_name_of_the_entry():
    assert json.loads(document(access(), "json")) == {
        "name": "user-name-dataset",
        "endpoint_url": "https://s3.example.org:8443",
        "region": "us-east-1",
        "bucket": "repo",
        "prefix": "user.name/dataset/",
        "provider": "ceph",
        "credentials": {
            "accessKeyId": "AKIA",
            "secretAccessKey": "se+cr/et=",
            "sessionToken": "to+k/en==",
            "expiration": "2030-01-31T12:00:00Z",
        },
    }


@pytest.mark.parametrize("format", FORMATS)
def test_permanent_keys_have_no_token(format):
    made = access(token=None, expires_at=None)
    text = document(made, format)
    assert "None" not in text
    assert "until" not in text
    if format in ("rclone", "aws", "s3cmd"):
        assert "token" not in text


@pytest.mark.parametrize(
    ("place", "path"),
    [
        ({"prefix": "a/b"}, "repo/a/b/"),
        ({"prefix": "a/b/"}, "repo/a/b/"),
        ({"prefix": ""}, "repo/"),
        ({"prefix": None, "key": "a/b"}, "repo/a/b"),
    ],
)
def test_the_path_says_what_the_keys_open(place, path):
    assert access(**place).path == path


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize(
    "place", [{"prefix": "it's; $HOME"}, {"prefix": None, "key": "it's; $HOME"}]
)
def test_the_command_is_one_that_a_shell_reads_back(format, place):
    made = access(**place)
    command = usage(made, format, "/home/jane doe/x.conf")
    assert (command == "") == (format == "json")
    if format != "json":
        words = shlex.split(command)
        assert words[-1].endswith(made.path)
        assert ("FILE" in words) == (made.key is not None)


def test_the_command_of_mc_names_the_folder_of_its_configuration():
    assert usage(access(), "mc", "/home/jane/.mc/config.json") == (
        "mc --config-dir /home/jane/.mc ls user-name-dataset/repo/user.name/dataset/"
    )
    assert "--config-dir . " in usage(access(), "mc", "config.json")
