# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Run one of the scripts that show something, from the outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TIMEOUT = 180


class Script:
    """A script and a place to run it in: a folder to call it from, and one for its files."""

    def __init__(self, name: str, place: Path) -> None:
        self.path = ROOT / name
        self.folder = place / "caller's folder"
        self.temporary = place / "temporary"
        self.folder.mkdir()
        self.temporary.mkdir()
        # Modules in the caller's folder are none of the script's.
        for name in ("demo.py", "examples.py", "tests.py", "json.py"):
            (self.folder / name).write_text("raise SystemExit('imported from the caller')\n")

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [str(self.path), *arguments],
            cwd=self.folder,
            env={
                **os.environ,
                "OAREPO_S3_DEMO_PYTHON": sys.executable,
                "TMPDIR": str(self.temporary),
                # A store that is not the script's own.
                "INVENIO_S3_ENDPOINT_URL": "http://127.0.0.1:1",
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *arguments: str) -> tuple[int, list[str]]:
        """Run to the end and return the status and the lines."""
        return finish(self.start(*arguments))

    def processes(self) -> dict[int, str]:
        """Return the command lines of what runs with our temporary folder, by process id."""
        return processes_of(self.temporary)

    def left_behind(self) -> list[str]:
        """Return what should not be there afterwards: processes and files."""
        return [*self.processes().values(), *map(str, self.temporary.iterdir())]


def processes_of(temporary: Path) -> dict[int, str]:
    """Return the command lines of what runs with a temporary folder, by process id."""
    found = {}
    mark = f"TMPDIR={temporary}".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark in (process / "environ").read_bytes().split(b"\0"):
                line = (process / "cmdline").read_bytes().replace(b"\0", b" ")
                found[int(process.name)] = line.decode(errors="replace")
        except OSError:
            # It has ended meanwhile, or belongs to somebody else.
            continue
    return found


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    try:
        output, _ = process.communicate(timeout=TIMEOUT)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=TIMEOUT)
        raise
    return process.returncode, output.splitlines()


def read_until(process: subprocess.Popen[str], beginning: str) -> list[str]:
    """Read lines until one that begins like this."""
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith(beginning):
            return lines
    raise AssertionError(f"no line began with {beginning!r}: {lines}")
