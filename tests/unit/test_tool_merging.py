# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Merging into files that have other entries: those stay, and what is not understood is refused."""

from __future__ import annotations

import json

import pytest

from oarepo_s3.core.tool_configs import (
    FORMATS,
    ToolConfigError,
    check_mergeable,
    document,
    merge,
)

from .test_tool_configs import access

NEW = access()
LATER = access(
    access_key="LATER", secret_key="later", token="latertoken", prefix="user.name/dataset"
)
MERGED = [format for format in FORMATS if format != "json"]

RCLONE = """\
# My remotes.
; Both kinds of comments.

[drive]
type = drive
token = {"access_token":"x=1","expiry":"2030"}
# about the next one
[ nas ]
type=local
"""
AWS = """\
[default]
region = eu-north-1
s3 =
  max_concurrent_requests = 20
  # a comment within

  max_queue_size = 99

[profile "jane doe"]
sso_session = work
[sso-session work]
sso_region : eu-north-1
"""
S3CMD = """\
[default]
# Mine.
progress_meter = False
gpg_encrypt = %(gpg_command)s -c --verbose
"""
MC = json.dumps(
    {
        "version": "10",
        "aliases": {"local": {"url": "http://localhost:9000", "license": "kept"}},
        "more": [1],
    }
)
ENV = "# Mine.\n\nEDITOR='vi -y'\nexport LANG=C.UTF-8 # so\n"
BEFORE = {"rclone": RCLONE, "aws": AWS, "s3cmd": S3CMD, "mc": MC, "env": ENV}


@pytest.mark.parametrize("format", MERGED)
@pytest.mark.parametrize("empty", ["", "\n", " \n\n"])
def test_an_empty_file_gets_the_document(format, empty):
    text = document(NEW, format)
    check_mergeable(empty, format)
    assert merge(empty, text, format) == text


@pytest.mark.parametrize("format", ["rclone", "aws"])
def test_other_entries_stay_as_they_are_and_ours_follows(format):
    text = document(NEW, format)
    assert merge(BEFORE[format], text, format) == f"{BEFORE[format]}\n{text}"


@pytest.mark.parametrize("format", MERGED)
def test_it_is_the_same_when_it_is_done_again(format):
    once = merge(BEFORE[format], document(NEW, format), format)
    assert merge(once, document(NEW, format), format) == once


@pytest.mark.parametrize("format", MERGED)
def test_later_keys_take_the_place_of_earlier_ones(format):
    once = merge(BEFORE[format], document(NEW, format), format)
    twice = merge(once, document(LATER, format), format)
    assert twice == merge(BEFORE[format], document(LATER, format), format)
    assert NEW.secret_key not in twice


@pytest.mark.parametrize("format", ["rclone", "aws"])
def test_an_entry_between_others_stays_there(format):
    last = "[zzz]\ntype = local\n"
    text = merge("", document(NEW, format), format) + "\n\n" + last
    later = merge(text, document(LATER, format), format)
    assert later == document(LATER, format) + "\n\n" + last


def test_what_somebody_has_added_to_an_entry_stays_in_it():
    had = document(NEW, "rclone") + "# tuned\nupload_concurrency = 8\n\n[next]\ntype = local\n"
    assert merge(had, document(LATER, "rclone"), "rclone") == (
        document(LATER, "rclone") + "# tuned\nupload_concurrency = 8\n\n[next]\ntype = local\n"
    )


def test_what_somebody_has_added_to_a_nested_setting_of_aws_stays_in_it():
    had = document(NEW, "aws").replace(
        "    addressing_style = path\n",
        "    addressing_style = virtual\n    # tuned\n    max_queue_size = 9\n",
    )
    added = "    # tuned\n    max_queue_size = 9\n"
    style = "    addressing_style = path\n"
    expected = document(LATER, "aws").replace(style, style + added)
    assert merge(had, document(LATER, "aws"), "aws") == expected


def test_s3cmd_keeps_its_other_settings():
    text = merge(S3CMD, document(NEW, "s3cmd"), "s3cmd")
    assert text == document(NEW, "s3cmd") + S3CMD.removeprefix("[default]\n")


def test_mc_keeps_other_aliases_and_all_that_it_has():
    config = json.loads(merge(MC, document(NEW, "mc"), "mc"))
    assert set(config["aliases"]) == {"local", "user-name-dataset"}
    assert config["aliases"]["local"] == json.loads(MC)["aliases"]["local"]
    assert config["more"] == [1]


def test_env_keeps_other_variables():
    assert merge(ENV, document(NEW, "env"), "env") == ENV + document(NEW, "env")


def test_env_has_the_key_of_an_object_or_a_prefix_but_not_both():
    key = document(access(prefix=None, key="k"), "env")
    once = merge(ENV, document(NEW, "env"), "env")
    assert merge(once, key, "env", force=True) == ENV + key


@pytest.mark.parametrize(
    ("format", "bad"),
    [
        ("rclone", "# Encrypted rclone configuration File\n\nRCLONE_ENCRYPT_V0:\nAbC+/==\n"),
        ("rclone", "type = s3\n"),
        ("rclone", "[a]\nno value here\n"),
        ("rclone", "[a]\ntype = s3\n  region = x\n"),
        ("rclone", "[a]\ntype = s3\n[a]\ntype = local\n"),
        ("rclone", "[a\ntype = s3\n"),
        ("rclone", "[a] type = s3\n"),
        ("rclone", "{}"),
        ("aws", "[profile 'a]\nregion = x\n"),
        ("aws", "[profile a]\n  region = x\n"),
        ("aws", '[profile a]\nregion = x\n[profile "a"]\nregion = y\n'),
        ("s3cmd", "[default]\nhost_base = x\n[other]\nhost_base = y\n"),
        ("s3cmd", "host_base = x\n"),
        ("mc", "{"),
        ("mc", "[]"),
        ("mc", '{"version": "9", "hosts": {}}'),
        ("mc", '{"version": "10"}'),
        ("mc", '{"version": "10", "aliases": {"a": {}, "a": {}}}'),
        ("mc", "[" * 100_000),
        ("env", "echo hello\n"),
        ("env", "export A\n"),
        ("env", "A='more\nthan a line'\n"),
        ("env", "A=1; rm -r x\n"),
        ("env", "A=1;rm\n"),
        ("env", "A=1 B=2\n"),
        ("env", "A=$(date)\n"),
        ("env", "if true\nthen A=1\nfi\n"),
        ("json", "{}"),
        ("json", ""),
    ],
)
def test_a_file_that_is_not_understood_is_refused(format, bad):
    with pytest.raises(ToolConfigError) as refused:
        merge(bad, document(NEW, format), format)
    with pytest.raises(ToolConfigError, match=str(refused.value)):
        check_mergeable(bad, format)


FOREIGN = {
    "another kind": ("rclone", "[user-name-dataset]\ntype = drive\n"),
    "another store": (
        "rclone",
        document(NEW, "rclone").replace("s3.example.org", "s3.example.com"),
    ),
    "the store of AWS": ("rclone", "[user-name-dataset]\ntype = s3\nsession_token = x\n"),
    "another place": ("rclone", document(access(prefix="user/name.dataset"), "rclone")),
    "permanent keys": ("rclone", document(access(token=None), "rclone")),
    "another login": ("aws", "[profile user-name-dataset]\nrole_arn = arn:aws:iam::1:role/x\n"),
    "another address": (
        "aws",
        document(NEW, "aws").replace("s3.example.org", "s3.example.com"),
    ),
    "somebody's only entry": ("s3cmd", "[default]\naccess_key = mine\nsecret_key = mine\n"),
    "permanent keys of mc": ("mc", document(access(token=None), "mc")),
    "an alias that is none": ("mc", '{"version": "10", "aliases": {"user-name-dataset": 1}}'),
    "permanent keys of env": ("env", "AWS_ACCESS_KEY_ID=x\nAWS_SECRET_ACCESS_KEY=y\n"),
    "another place of env": ("env", document(access(prefix="another"), "env")),
}


@pytest.mark.parametrize(("format", "text"), FOREIGN.values(), ids=list(FOREIGN))
def test_an_entry_of_somebody_else_is_replaced_by_force_only(format, text):
    check_mergeable(text, format)
    with pytest.raises(ToolConfigError, match="another name or file, or replace the entry by"):
        merge(text, document(NEW, format), format)
    assert merge(text, document(NEW, format), format, force=True) == document(NEW, format)


def test_an_entry_whose_comment_a_tool_has_dropped_is_still_ours():
    lines = document(NEW, "rclone").splitlines(keepends=True)
    without = "".join(line for line in lines if not line.startswith("#"))
    assert merge(without, document(LATER, "rclone"), "rclone") == document(LATER, "rclone")


@pytest.mark.parametrize("format", MERGED)
def test_keys_without_a_token_leave_none_behind(format):
    later = document(access(token=None), format)
    assert merge(document(NEW, format), later, format) == later
