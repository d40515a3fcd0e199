# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What setup does, asked by a person who types."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

from ...conftest import REAL
from .kept import expected, kept

ROOT = Path(__file__).parents[3]


def answers_of(given):
    """What somebody types: an empty line takes what is suggested."""
    return [
        "",  # s3
        given["profile"],
        given["endpoint"],
        "",  # no other address for browsers
        given["region"],
        given["access_key"],
        given["secret_key"],
        given["bucket"],
        "",  # all of the bucket
        "",  # no role
        given["location"],
        "yes",
    ]


def test_what_is_typed_gives_the_same_as_the_file(run, set_up, given, store, bucket_name, folder):
    typed = run("setup", input="".join(f"{line}\n" for line in answers_of(given)))
    of_typing = kept(store, bucket_name, folder)
    fragment = (folder / "oarepo-s3.cfg").read_text()
    assert of_typing == expected(bucket_name)
    assert store.secret_key not in typed.output
    assert "s3: AWS, Ceph RGW, MinIO" in typed.stderr
    assert "Secret key" not in typed.stdout, "standard output has the result alone"
    assert "Nothing had to be changed." in set_up(given).stdout
    assert (folder / "oarepo-s3.cfg").read_text() == fragment


def test_a_wrong_answer_is_asked_for_again(run, given, store, bucket_name, folder):
    lines = answers_of(given)
    lines[1:1] = ["cepf"]
    lines[3:3] = ["s3.example.org"]
    typed = run("setup", input="".join(f"{line}\n" for line in lines))
    assert "profile has to be one of" in typed.stderr
    assert "endpoint has to be an address" in typed.stderr
    assert kept(store, bucket_name, folder) == expected(bucket_name)


def test_the_instances_own_settings_are_suggested(run, app, given, store, bucket_name, folder):
    app.config.update(
        S3_ENDPOINT_URL=store.endpoint_url,
        S3_ACCESS_KEY_ID=store.access_key,
        S3_SECRET_ACCESS_KEY=store.secret_key,
        OAREPO_S3_PROFILE="ceph",
    )
    try:
        typed = run("setup", input="\n" * 7 + f"{bucket_name}\n\n\nfiles\n\n")
    finally:
        app.config.update(
            S3_ENDPOINT_URL=None,
            S3_ACCESS_KEY_ID=None,
            S3_SECRET_ACCESS_KEY=None,
            OAREPO_S3_PROFILE="other",
        )
    assert f"[{store.endpoint_url}]" in typed.stderr
    assert f"[{store.access_key}]" in typed.stderr
    assert store.secret_key not in typed.output
    assert kept(store, bucket_name, folder) == expected(bucket_name)


@pytest.mark.parametrize("place", [REAL], indirect=True, scope="module")
def test_at_a_real_terminal_the_secret_is_not_seen(given, store, bucket_name, folder, db_uri, app):
    seen, status = at_a_terminal(db_uri, folder, answers_of(given))
    assert status == 0, seen
    assert store.secret_key not in seen
    assert given["access_key"] in seen, "what is no secret is"
    assert f"Bucket {bucket_name}: made." in seen
    assert kept(store, bucket_name, folder) == expected(bucket_name)


def at_a_terminal(db_uri, folder, lines):
    """Run setup in a process that has a terminal, and type a line at each prompt."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "tests.cli.setup.console", db_uri, "setup"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        seen = b""
        waiting = list(lines)
        # The process ends, and its terminal with it: reading then fails.
        with suppress(OSError):
            while True:
                seen += os.read(screen, 4096)
                if waiting and seen.rpartition(b"\n")[2].endswith(b": "):
                    os.write(screen, f"{waiting.pop(0)}\n".encode())
        os.close(screen)
    return seen.decode(), process.returncode
