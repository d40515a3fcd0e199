# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 credentials``: the document on standard output or in a file, all else beside it."""

from __future__ import annotations

import json
import stat
from datetime import timedelta

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.core.times import isoformat, utcnow
from oarepo_s3.core.tool_configs import FORMATS
from oarepo_s3.models import Grant
from oarepo_s3.services import NewScope, NewUpload, create_scope, create_upload

from .conftest import PREFIX, SCOPE

pytestmark = [pytest.mark.ceph, pytest.mark.postgres]


def grants() -> list[Grant]:
    return list(db.session.scalars(db.select(Grant).order_by(Grant.created_at)))


@pytest.mark.parametrize("format", FORMATS)
def test_only_the_document_is_on_standard_output(command, store, format):
    done = command(SCOPE, "--format", format)
    assert done.exit_code == 0, done.output
    grant = grants()[-1]
    ends = isoformat(grant.expires_at)
    assert done.stderr == f"Keys to s3://{store.bucket}/{PREFIX}/ until {ends}.\n"
    assert grant.access_key in done.stdout
    assert "jane-doe-big-data" in done.stdout or format in ("env", "s3cmd")
    assert store.secret_key not in done.output


def test_the_grant_is_written_down_as_the_operators(command, scope):
    before = len(grants())
    done = command(SCOPE, "--format", "json", "--lifetime", "1000")
    *_, grant = made = grants()
    assert len(made) == before + 1
    assert (grant.scope_id, grant.user_id) == (scope.id, None)
    assert abs(grant.expires_at - utcnow() - timedelta(seconds=1000)) < timedelta(seconds=60)
    keys = json.loads(done.stdout)["credentials"]
    assert keys["accessKeyId"] == grant.access_key
    assert keys["expiration"] == isoformat(grant.expires_at)


def test_a_place_is_that_of_its_scope(command):
    done = command(f"default:{PREFIX}", "--format", "json")
    assert json.loads(done.stdout)["name"] == "jane-doe-big-data"


def test_a_whole_location_has_keys_when_it_is_a_scope(command, database, scope, store):
    db.session.add(Location(name="whole", uri=f"s3://{store.bucket}/whole", default=False))
    db.session.commit()
    assert command("whole", "--format", "json").exit_code == 1
    create_scope(NewScope("all:of-it", "whole", ""))
    printed = json.loads(command("whole", "--format", "json").stdout)
    assert (printed["name"], printed["prefix"]) == ("all-of-it", "whole/")


def test_keys_for_an_upload_open_one_object(command, store):
    bucket = Bucket.create()
    db.session.commit()
    upload = create_upload(NewUpload(bucket.id, "file.bin", 10))
    done = command(str(upload.id), "--format", "json")
    assert done.exit_code == 0, done.output
    printed = json.loads(done.stdout)
    assert printed["name"] == f"upload-{str(upload.id)[:8]}"
    assert printed["key"].endswith(str(upload.id))
    assert grants()[-1].upload_id == upload.id


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("nobody:nothing", "scope_not_found"),
        ("default", "scope_not_found"),
        ("no such name", "scope_not_found"),
        ("x\x00:y", "scope_not_found"),
        ("00000000-0000-4000-8000-000000000000", "upload_not_found"),
    ],
)
def test_what_is_not_there_is_a_sentence(command, target, said):
    done = command(target, "--format", "env")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: ")
    assert f"({said})" in done.stderr


def test_without_a_role_nothing_is_granted(command, app, monkeypatch):
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", None)
    done = command(SCOPE, "--format", "env")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "OAREPO_S3_UPLOAD_ROLE" in done.stderr


@pytest.mark.parametrize("lifetime", ["1", "899", "43201"])
def test_a_lifetime_that_is_not_possible_is_a_sentence(command, lifetime):
    done = command(SCOPE, "--format", "env", "--lifetime", lifetime)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "900 to 43200 seconds" in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [SCOPE],
        [SCOPE, "--format", "ftp"],
        [SCOPE, "--format", "env", "--merge"],
        [SCOPE, "--format", "env", "--force"],
        [SCOPE, "--format", "env", "--lifetime", "0"],
    ],
)
def test_a_wrong_call_has_status_2_and_grants_nothing(command, arguments):
    before = len(grants())
    assert command(*arguments).exit_code == 2
    assert len(grants()) == before


def test_a_file_is_for_its_owner_alone_and_other_entries_stay(command, tmp_path):
    path = tmp_path / "rclone.conf"
    path.write_text("# mine\n[drive]\ntype = drive\n")
    arguments = [SCOPE, "--format", "rclone", "--output", str(path)]
    before = len(grants())
    assert command(*arguments).exit_code == 1
    assert len(grants()) == before
    for _ in range(2):
        done = command(*arguments, "--merge")
        assert (done.exit_code, done.stdout) == (0, ""), done.stderr
    text = path.read_text()
    assert text.startswith("# mine\n[drive]\ntype = drive\n\n[jane-doe-big-data]\n")
    assert text.count("[") == 2
    assert grants()[-1].access_key in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert done.stderr.splitlines()[1].startswith(f"Use them: rclone --config {path} lsf ")
    assert command(*arguments, "--force", "--name", "other").exit_code == 0
    assert path.read_text().startswith("[other]\n")


def test_where_nothing_can_be_merged_nothing_is_granted(command, tmp_path):
    path = tmp_path / "config.json"
    path.write_text("{")
    before = len(grants())
    done = command(SCOPE, "--format", "mc", "--output", str(path), "--merge")
    assert (done.exit_code, path.read_text()) == (1, "{")
    assert "no JSON" in done.stderr
    assert len(grants()) == before
