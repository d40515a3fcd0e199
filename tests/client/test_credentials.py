# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``oarepo-s3 credentials``: the document on standard output or in a file, all else beside it."""

from __future__ import annotations

import json
import stat

import pytest

from oarepo_s3_client.cli import TOKEN_VARIABLE
from oarepo_s3_client.tool_configs import FORMATS, ToolAccess, document

from .conftest import GRANT, TOKEN

SCOPE = "user.name:dataset"
UPLOAD = "0b0f5a70-1111-4222-8333-444455556666"

GRANTED = ToolAccess(
    name=SCOPE,
    endpoint_url="https://s3.example.org",
    region="us-east-1",
    bucket="repo",
    access_key="AKIA",
    secret_key="se+cr/et=",
    token="to+k/en==",
    expires_at="2030-01-31T12:00:00Z",
    prefix="user.name/dataset/",
    provider="ceph",
)


@pytest.mark.parametrize("format", FORMATS)
def test_only_the_document_is_on_standard_output(oarepo_s3, format):
    done = oarepo_s3(SCOPE, "--format", format)
    assert (done.exit_code, done.stdout) == (0, document(GRANTED, format))
    assert done.stderr == "Keys to s3://repo/user.name/dataset/ until 2030-01-31T12:00:00Z.\n"


def test_a_scope_is_asked_for_with_the_token(oarepo_s3, repository):
    oarepo_s3(SCOPE, "--format", "env", "--lifetime", "900")
    ((path, body, headers),) = repository.calls
    assert (path, body) == (
        "/api/multipart-uploads/credentials",
        {"scope": SCOPE, "lifetime": 900},
    )
    assert headers["Authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("written", [UPLOAD, UPLOAD.upper()])
def test_the_keys_of_an_upload_are_asked_for_by_its_id(oarepo_s3, repository, written):
    repository.answer = {**GRANT, "key": "oarepo-s3-forms/x"}
    del repository.answer["prefix"]
    done = oarepo_s3(written, "--format", "json")
    ((path, body, _),) = repository.calls
    assert (path, body) == (f"/api/multipart-uploads/{UPLOAD}/credentials", {})
    printed = json.loads(done.stdout)
    assert (printed["name"], printed["key"]) == ("upload-0b0f5a70", "oarepo-s3-forms/x")


def test_the_entry_gets_the_name_that_is_wished(oarepo_s3):
    done = oarepo_s3(SCOPE, "--format", "rclone", "--name", "my data")
    assert done.stdout.startswith("[my-data]\n")


def test_a_file_is_for_its_owner_alone_and_nothing_is_printed(oarepo_s3, tmp_path):
    path = tmp_path / "rclone.conf"
    done = oarepo_s3(SCOPE, "--format", "rclone", "--output", str(path))
    assert (done.exit_code, done.stdout) == (0, "")
    assert path.read_text() == document(GRANTED, "rclone")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    use = f"rclone --config {path} lsf user-name-dataset:repo/user.name/dataset/"
    assert done.stderr.splitlines()[1] == f"Use them: {use}"


def test_a_file_that_is_there_is_not_replaced_and_no_keys_are_asked_for(
    oarepo_s3, repository, tmp_path
):
    path = tmp_path / "rclone.conf"
    path.write_text("mine")
    arguments = [SCOPE, "--format", "rclone", "--output", str(path)]
    done = oarepo_s3(*arguments)
    assert (done.exit_code, repository.calls) == (1, [])
    assert done.stderr == f"Error: {path} is there already.\n"
    assert path.read_text() == "mine"
    assert oarepo_s3(*arguments, "--force").exit_code == 0
    assert path.read_text() == document(GRANTED, "rclone")


def test_merging_keeps_other_entries(oarepo_s3, tmp_path):
    path = tmp_path / "rclone.conf"
    path.write_text("# mine\n[drive]\ntype = drive\n")
    for _ in range(2):
        done = oarepo_s3(SCOPE, "--format", "rclone", "--output", str(path), "--merge")
        assert done.exit_code == 0, done.output
    expected = f"# mine\n[drive]\ntype = drive\n\n{document(GRANTED, 'rclone')}"
    assert path.read_text() == expected


@pytest.mark.parametrize(
    ("text", "format"), [("nonsense", "rclone"), ("nonsense", "mc"), ("", "json")]
)
def test_where_nothing_can_be_merged_no_keys_are_asked_for(
    oarepo_s3, repository, tmp_path, text, format
):
    path = tmp_path / "file"
    path.write_text(text)
    done = oarepo_s3(SCOPE, "--format", format, "--output", str(path), "--merge")
    assert (done.exit_code, repository.calls, path.read_text()) == (1, [], text)


def test_an_entry_of_somebody_else_is_replaced_by_force_only(oarepo_s3, tmp_path):
    path = tmp_path / "rclone.conf"
    path.write_text("[user-name-dataset]\ntype = drive\n")
    arguments = [SCOPE, "--format", "rclone", "--output", str(path), "--merge"]
    done = oarepo_s3(*arguments)
    assert (done.exit_code, path.read_text()) == (1, "[user-name-dataset]\ntype = drive\n")
    assert "--name" not in done.stdout
    assert oarepo_s3(*arguments, "--force").exit_code == 0
    assert path.read_text() == document(GRANTED, "rclone")


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [SCOPE],
        [SCOPE, "--format", "ftp"],
        [SCOPE, "--format", "env", "--merge"],
        [SCOPE, "--format", "env", "--force"],
        [SCOPE, "--format", "env", "--lifetime", "0"],
        [SCOPE, "--format", "env", "--lifetime", "1h"],
    ],
)
def test_a_wrong_call_has_status_2_and_asks_for_nothing(oarepo_s3, repository, arguments):
    assert oarepo_s3(*arguments).exit_code == 2
    assert repository.calls == []


def test_the_token_is_asked_for_where_somebody_can_answer(oarepo_s3, repository, monkeypatch):
    monkeypatch.delenv(TOKEN_VARIABLE)
    monkeypatch.setattr("oarepo_s3_client.cli.can_answer", lambda: True)
    asked = {}

    def prompt(text, **options):
        asked.update(options)
        return TOKEN

    monkeypatch.setattr("click.prompt", prompt)
    done = oarepo_s3(SCOPE, "--format", "rclone")
    assert asked == {"hide_input": True, "err": True}
    assert done.stdout == document(GRANTED, "rclone")
    assert repository.calls[0][2]["Authorization"] == f"Bearer {TOKEN}"


def test_without_a_token_and_a_terminal_it_says_what_is_missing(oarepo_s3, repository, monkeypatch):
    monkeypatch.delenv(TOKEN_VARIABLE)
    done = oarepo_s3(SCOPE, "--format", "env")
    assert (done.exit_code, repository.calls) == (1, [])
    assert "Set OAREPO_S3_TOKEN" in done.stderr
