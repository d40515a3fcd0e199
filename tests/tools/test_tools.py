# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""rclone, s3cmd and aws-cli list and copy with what we write for them, within the prefix."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance

from oarepo_s3.services import NewUpload, complete_upload, create_upload, get_upload

from ..object_store import Store
from .conftest import OTHERS, PREFIX, SCOPE
from .programs import COMMANDS, run, run_shell

pytestmark = [pytest.mark.ceph, pytest.mark.postgres, pytest.mark.tools]

REFUSALS = [
    "403",
    "accessdenied",
    # What aws-cli 1.46 makes of a refusal in which RGW says no more than that.
    "argument of type 'nonetype' is not iterable",
]

SIZES = {"small": 5_000, "in parts": 17 * 2**20 + 1}


@pytest.fixture
def config(command, format, folder) -> Path:
    """The file that we write."""
    path = folder / "tool.conf"
    written = command(SCOPE, "--format", format, "--output", str(path))
    assert written.exit_code == 0, written.output
    return path


def printed(output: str) -> str:
    """Return the command that we print for people."""
    return output.splitlines()[-1].removeprefix("Use them: ")


def content_of(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def head(store: Store, key: str) -> dict[str, Any]:
    client = store.client()
    found: dict[str, Any] = client.head_object(Bucket=store.bucket, Key=key)
    client.close()
    return found


@pytest.mark.parametrize("size", SIZES.values(), ids=list(SIZES))
def test_it_copies_a_file_there_and_back(store, format, config, folder, size):
    sent, fetched = folder / "sent", folder / "fetched"
    sent.write_bytes(content_of(size))
    key = f"{PREFIX}/{format}/file {size}.bin"
    done = run(format, "send", config, f"{store.bucket}/{key}", sent)
    assert done.returncode == 0, done.stderr
    there = head(store, key)
    assert there["ContentLength"] == size
    assert ("-" in there["ETag"]) == (size > 16 * 2**20)
    done = run(format, "fetch", config, f"{store.bucket}/{key}", fetched)
    assert done.returncode == 0, done.stderr
    assert fetched.read_bytes() == sent.read_bytes()


@pytest.mark.parametrize("action", COMMANDS["rclone"])
def test_it_is_refused_outside_the_prefix(store, format, config, folder, action):
    local = folder / "local"
    if action == "send":
        local.write_text("mine now")
    path = f"{store.bucket}/{OTHERS}/" + ("" if action == "list" else "secret.txt")
    done = run(format, action, config, path, local)
    assert done.returncode != 0
    assert any(word in (done.stdout + done.stderr).lower() for word in REFUSALS)
    assert "secret.txt" not in done.stdout
    assert head(store, f"{OTHERS}/secret.txt")["ContentLength"] == len("not for Jane")
    assert local.exists() == (action == "send")


BEFORE = {
    "rclone": "# Mine.\n[elsewhere]\ntype = local\n\n",
    "aws": "[default]\nregion = eu-north-1\n\n[profile elsewhere]\ns3 =\n  max_queue_size = 9\n",
    "s3cmd": "[default]\n# Mine.\nprogress_meter = False\n",
    "env": "# Mine.\nEDITOR='vi -y'\n",
}


def test_the_command_that_we_print_lists_the_prefix_by_a_file_into_which_we_merged_twice(
    command, store, format, folder
):
    client = store.client()
    client.put_object(Bucket=store.bucket, Key=f"{PREFIX}/listed.txt", Body=b"listed")
    client.close()
    path = folder / "tool.conf"
    path.write_text(BEFORE[format])
    for _ in range(2):
        said = command(SCOPE, "--format", format, "--output", str(path), "--merge")
        assert said.exit_code == 0, said.output
    assert "# Mine." in path.read_text() or "elsewhere" in path.read_text()
    done = run_shell(printed(said.stderr), folder)
    assert (done.returncode, "listed.txt" in done.stdout) == (0, True), done.stderr


def test_the_command_that_we_print_sends_the_file_of_an_upload(
    command, location, format, folder, monkeypatch
):
    size = SIZES["in parts"]
    bucket = Bucket.create()
    db.session.commit()
    upload = create_upload(NewUpload(bucket.id, f"by {format}.bin", size))
    monkeypatch.chdir(folder)
    said = command(str(upload.id), "--format", format, "--output", "tool.conf")
    assert said.exit_code == 0, said.output
    (folder / "FILE").write_bytes(content_of(size))
    done = run_shell(printed(said.stderr), folder)
    assert done.returncode == 0, done.stderr
    file_id = complete_upload(get_upload(upload.id)).file_id
    with FileInstance.get(file_id).storage().open() as stream:
        assert stream.read() == content_of(size)
