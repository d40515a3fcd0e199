# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Packages of npm that run in the tests' browser, each as it is published, with a lock file."""

from __future__ import annotations

import fcntl
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from ...services.process import find_program

_HERE = Path(__file__).parent


def install(name: str) -> Path:
    """Install the package of a folder here, unless it is there, and return the folder.

    :raises Missing: when there is no npm.
    """
    folder = _HERE / name
    lock, done = folder / "package-lock.json", folder / "node_modules/.package-lock.json"
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Tests run in two processes.
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if not done.is_file() or done.stat().st_mtime < lock.stat().st_mtime:
            _run([find_program("npm", "nodejs npm"), "ci", "--silent"], folder)
    finally:
        os.close(descriptor)
    return folder


def bundle(name: str, target: Path) -> Path:
    """Put ``entry.js`` of a package here into one script below ``target``, and return the script.

    :raises Missing: when there is no npm.
    """
    folder = install(name)
    script = target / f"{name}.js"
    _run(["node_modules/.bin/esbuild", "entry.js", "--bundle", f"--outfile={script}"], folder)
    return script


def _run(command: Sequence[str | Path], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
