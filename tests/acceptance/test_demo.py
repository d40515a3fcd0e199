# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""run-demo.sh from the outside: what it prints, its exit status, and that nothing stays behind.

The environment is the one that runs the tests, so that none has to be made.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import time
from collections.abc import Iterator

import pytest
import urllib3

from tests.docs.pages import run_commands

from .script import Script, finish, read_until

SMALL = 12_000_000
LAST_OF_GUIDE = "Ctrl-C ends the demo."

pytestmark = pytest.mark.rclone


@pytest.fixture
def demo(tmp_path) -> Iterator[Script]:
    made = Script("run-demo.sh", tmp_path)
    yield made
    assert made.left_behind() == []


@pytest.mark.parametrize(
    ("name", "size", "parts"),
    [("žluťoučký kůň (1) + #%?.bin", SMALL, "3 parts"), ("empty", 0, "1 part")],
)
def test_a_file_goes_up_and_comes_back(demo, name, size, parts):
    (demo.folder / name).write_bytes(os.urandom(size))
    status, lines = demo.run("--once", "--part-size", "5", name)
    assert status == 0, lines
    assert lines[-1].startswith("demo: ok: ")
    assert f" in {parts} " in lines[-1]
    steps = [line.partition("  ")[0] for line in lines if re.search(r"\d\.\d\d s", line)]
    assert steps == [
        "start servers",
        "create upload",
        "upload parts",
        "complete",
        "download by redirect",
        "compare SHA-256",
    ]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--once", "missing.bin"], "No such file"),
        (["--once", "."], "Is a directory"),
        (["file-without-once"], "for --once"),
        (["--what"], "unrecognized"),
    ],
)
def test_a_mistake_is_named_before_anything_starts(demo, arguments, reason):
    status, lines = demo.run(*arguments)
    assert status == 2
    assert reason in lines[-1]


def test_the_end_of_the_store_is_a_failure(demo):
    with (demo.folder / "large.bin").open("wb") as large:
        large.truncate(2_000_000_000)
    process = demo.start("--once", "large.bin")
    read_until(process, "create upload")
    [store] = [pid for pid, line in demo.processes().items() if " serve s3 " in line]
    os.kill(store, signal.SIGKILL)
    status, lines = finish(process)
    assert status == 1
    assert any(line.startswith("demo: failed: upload parts: part ") for line in lines)
    assert any("S3 server has ended by itself (signal 9)" in line for line in lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_everything(demo, number):
    process = demo.start("--once")
    while not any("demo.web" in line for line in demo.processes().values()):
        time.sleep(0.01)
    process.send_signal(number)
    status, _ = finish(process)
    assert status == 130


def test_serving(demo):
    process = demo.start()
    guide = read_until(process, LAST_OF_GUIDE)
    text = "\n".join(guide)
    api = re.search(r"REST API +(http://127\.0\.0\.1:\d+)", text)[1]
    bucket = re.search(r"bucket +([0-9a-f-]{36})", text)[1]
    assert upload(api, bucket, b"content") == b"content"
    page = re.search(r"Page +(http://127\.0\.0\.1:\d+/uploader)", text)[1]
    assert bucket in urllib3.PoolManager().request("GET", page).data.decode()
    if shutil.which("curl"):
        assert paste(guide, demo) == "the same"
    process.send_signal(signal.SIGTERM)
    status, lines = finish(process)
    assert (status, lines[-1]) == (0, "demo: ok: ended as asked")


def upload(api: str, bucket: str, content: bytes) -> bytes:
    """Upload in one part and return what comes back."""
    http = urllib3.PoolManager()
    wish = {"bucket": bucket, "key": "file", "size": len(content)}
    opened = http.request("POST", f"{api}/multipart-uploads", json=wish).json()
    http.request("PUT", opened["urls"][0]["url"], body=content)
    completed = http.request("POST", opened["links"]["complete"]).json()
    assert completed["state"] == "completed"
    return http.request("GET", f"{api}/files/{bucket}/file").data


def paste(guide: list[str], demo: Script) -> str:
    """Run the printed commands and return the last line that they print."""
    commands = guide[guide.index("# A file of 12 MB, in a new folder.") : -1]
    folder = demo.folder / "pasted"
    folder.mkdir()
    done = run_commands(commands, demo.folder, TMPDIR=str(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]
