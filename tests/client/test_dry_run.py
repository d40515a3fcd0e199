# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``oarepo-s3 credentials --dry-run``: it says what would be done, and asks nobody."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import Result

from oarepo_s3_client.cli import TOKEN_VARIABLE

SCOPE = "user.name:dataset"
FILE = "# mine\n[drive]\ntype = drive\n"


@pytest.fixture
def dry(oarepo_s3, repository, monkeypatch) -> Any:
    """Run it dry, and without a token; the repository has to hear nothing."""
    monkeypatch.delenv(TOKEN_VARIABLE)

    def run(*arguments: str, status: int = 0) -> Result:
        done = oarepo_s3(*arguments, "--dry-run")
        assert (done.exit_code, repository.calls) == (status, []), done.output
        return done

    return run


def test_it_says_who_would_be_asked_and_for_what(dry, repository):
    done = dry(SCOPE, "--format", "env", "--lifetime", "900")
    assert done.stdout.splitlines() == [
        f"Would ask {repository.url} for keys to {SCOPE}, with a lifetime of 900 s.",
        "Would print them for env.",
    ]
    assert ", as it gives them." in dry(SCOPE, "--format", "env").stdout


def test_a_program_reads_it_as_json(dry, repository, tmp_path):
    path = tmp_path / "rclone.conf"
    done = dry(SCOPE, "--format", "rclone", "--output", str(path), "--json")
    assert json.loads(done.stdout) == {
        "dry_run": True,
        "url": repository.url,
        "target": SCOPE,
        "lifetime": None,
        "format": "rclone",
        "name": "user-name-dataset",
        "output": str(path),
        "merge": False,
    }
    assert not path.exists()


@pytest.mark.parametrize(
    ("option", "said"), [("--force", "write them to"), ("--merge", "merge them into")]
)
def test_a_file_stays_as_it_is(dry, tmp_path, option, said):
    path = tmp_path / "rclone.conf"
    path.write_text(FILE)
    before = path.stat()
    done = dry(SCOPE, "--format", "rclone", "--output", str(path), option)
    assert done.stdout.endswith(f"Would {said} {path}, for rclone.\n")
    assert (path.read_text(), path.stat()) == (FILE, before)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "is there already"),
        (["--merge"], "Line 1"),
        (["--force", "--url", "http://repo.example.org/api"], "--url begins with http"),
    ],
)
def test_what_would_be_refused_is_refused(dry, tmp_path, options, said):
    path = tmp_path / "rclone.conf"
    path.write_text("nonsense")
    done = dry(SCOPE, "--format", "rclone", "--output", str(path), *options, status=1)
    assert (done.stdout, path.read_text()) == ("", "nonsense")
    assert said in done.stderr


def test_json_is_for_the_dry_run_alone(oarepo_s3, repository):
    done = oarepo_s3(SCOPE, "--format", "env", "--json")
    assert (done.exit_code, done.stdout, repository.calls) == (2, "", [])
    assert "--format json" in done.stderr
