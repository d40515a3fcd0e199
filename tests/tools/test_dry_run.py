# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 credentials --dry-run``: it says what would be done, and nothing is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.models import Grant
from oarepo_s3.services import NewUpload, create_upload

from ..keys import ROLE
from .conftest import PREFIX, SCOPE

pytestmark = [pytest.mark.ceph, pytest.mark.postgres]

FILE = "# mine\n[drive]\ntype = drive\n"


@pytest.fixture
def dry(command, monkeypatch) -> Any:
    """Run it dry, with a store that must not be asked for keys; the status is compared."""

    def issue_credentials(store, **wish):
        raise AssertionError("The store was asked for keys.")

    monkeypatch.setattr(S3Store, "issue_credentials", issue_credentials)

    def run(*arguments: str, status: int = 0) -> Any:
        before = grants()
        done = command(*arguments, "--dry-run")
        assert done.exit_code == status, (done.output, done.exception)
        assert grants() == before
        return done

    return run


def grants() -> int | None:
    return db.session.scalar(db.select(db.func.count()).select_from(Grant))


def test_it_says_to_what_for_how_long_and_for_which_tool(dry, store):
    done = dry(SCOPE, "--format", "env", "--lifetime", "900")
    assert done.stdout.splitlines() == [
        f"Would ask for keys to s3://{store.bucket}/{PREFIX}/ that work for 900 seconds, of the"
        f" role {ROLE}.",
        "Would print them for env.",
    ]
    assert done.stderr == ""


def test_a_program_reads_it_as_json(dry, store, tmp_path):
    path = tmp_path / "rclone.conf"
    done = dry(SCOPE, "--format", "rclone", "--output", str(path), "--json")
    assert json.loads(done.stdout) == {
        "dry_run": True,
        "endpoint_url": store.endpoint_url,
        "bucket": store.bucket,
        "prefix": f"{PREFIX}/",
        "role": ROLE,
        "lifetime": 3600,
        "format": "rclone",
        "name": "jane-doe-big-data",
        "output": str(path),
        "merge": False,
    }
    assert not path.exists()


def test_an_upload_gets_no_place_for_its_keys(dry, store):
    bucket = Bucket.create()
    db.session.commit()
    upload = create_upload(NewUpload(bucket.id, "file.bin", 10))
    printed = json.loads(dry(str(upload.id), "--format", "json", "--json").stdout)
    assert printed["key"].endswith(f"oarepo-s3-forms/{upload.id}")
    assert printed["name"] == f"upload-{str(upload.id)[:8]}"
    db.session.expire_all()
    assert (upload.form_uri, upload.form_until) == (None, None)


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
    ("file", "options", "said"),
    [
        (FILE, [], "is there already"),
        ("[jane-doe-big-data]\ntype = drive\n", ["--merge"], "of another store or place"),
        ("nonsense", ["--merge"], "Line 1"),
    ],
)
def test_what_would_be_refused_is_refused(dry, tmp_path, file, options, said):
    path = tmp_path / "rclone.conf"
    path.write_text(file)
    done = dry(SCOPE, "--format", "rclone", "--output", str(path), *options, status=1)
    assert (done.stdout, path.read_text()) == ("", file)
    assert said in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nobody:nothing"], "(scope_not_found)"),
        (["00000000-0000-4000-8000-000000000000"], "(upload_not_found)"),
    ],
)
def test_what_is_not_there_is_a_sentence(dry, arguments, said):
    assert said in dry(*arguments, "--format", "env", status=1).stderr


def test_a_lifetime_that_is_not_possible_is_a_sentence(command):
    done = command(SCOPE, "--format", "env", "--lifetime", "899", "--dry-run")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "900 to 43200 seconds" in done.stderr


def test_json_is_for_the_dry_run_alone(command):
    done = command(SCOPE, "--format", "env", "--json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "--format json" in done.stderr
