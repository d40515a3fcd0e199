# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""PostgreSQL: the database that knows row locks and real isolation, which SQLite does not."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from pathlib import Path

from .process import (
    HOST,
    Missing,
    ServiceError,
    clean_environment,
    find_program,
    free_port,
    stop_process,
)
from .service import Service

_PACKAGE = "postgresql"
_SUPERUSER = "postgres"
_ELSEWHERE = Path("/var/tmp")

# A Unix socket's address holds 107 bytes, and PostgreSQL adds "/.s.PGSQL.PORT" to the directory.
_LONGEST_SOCKET_DIR = 107 - len("/.s.PGSQL.65535")

# Fast and forgetful: the data need not survive the test run.
_SETTINGS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")


def _program_dirs() -> list[Path]:
    """Return Debian's directories of server programs, the newest release first."""
    found = Path("/usr/lib/postgresql").glob("*/bin")
    numbered = [path for path in found if path.parent.name.isdigit()]
    return sorted(numbered, key=lambda path: int(path.parent.name), reverse=True)


def _server_user() -> str | None:
    """Return whom the server must run as: PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return None
    try:
        pwd.getpwnam(_SUPERUSER)
    except KeyError as error:
        raise Missing(f"the system user {_SUPERUSER}", _PACKAGE) from error
    return _SUPERUSER


def _can_enter(user: str, directory: Path) -> bool:
    """Say whether ``user``, in its own group only, may traverse ``directory`` from the root."""
    account = pwd.getpwnam(user)
    for part in (directory, *directory.parents):
        status = part.stat()
        if status.st_uid == account.pw_uid:
            needed = stat.S_IXUSR
        elif status.st_gid == account.pw_gid:
            needed = stat.S_IXGRP
        else:
            needed = stat.S_IXOTH
        if not status.st_mode & needed:
            return False
    return True


class Postgres(Service):
    """A PostgreSQL server in which ``postgres`` may do everything, without a password."""

    def __init__(self, directory: Path) -> None:
        """Keep the server's files below ``directory``, where its user can reach them."""
        super().__init__(directory)
        self.port = 0

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of ``database``."""
        return f"postgresql+psycopg2://{_SUPERUSER}@{HOST}:{self.port}/{database}"

    def create_database(self, name: str) -> str:
        """Create an empty database and return its SQLAlchemy URL."""
        self._client("createdb", name)
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database; connections that a pool still holds are cut."""
        self._client("dropdb", "--force", name)

    def describe(self) -> dict[str, str]:
        """Return the address; there is no password."""
        return {"url": self.url(_SUPERUSER)}

    def _launch(self) -> None:
        user = _server_user()
        data = str(self.state / "data")
        initdb = [_program("initdb"), "-D", data, "-U", _SUPERUSER, "-A", "trust"]
        options = ["--encoding=UTF8", "--no-locale", "--no-sync"]
        self._run([*initdb, *options], env=clean_environment("PG"), user=user)
        self.port = free_port()
        command = [_program("postgres"), "-D", data, "-p", str(self.port), "-k", str(self.state)]
        for setting in (f"listen_addresses={HOST}", *_SETTINGS):
            command += ["-c", setting]
        process = self._spawn("postgres", command, env=clean_environment("PG"), user=user)
        self._wait_until_ready(process, timeout=30)

    def _wait_until_ready(self, process: subprocess.Popen[bytes], timeout: float) -> None:
        """Ask through the socket in our own directory, where no other server can answer."""
        ready = [_program("pg_isready"), "-q", "-h", str(self.state), "-p", str(self.port)]
        deadline = time.monotonic() + timeout
        while subprocess.run(ready, env=clean_environment("PG"), check=False).returncode:
            if process.poll() is not None:
                raise ServiceError(f"postgres exited with {process.returncode}")
            if time.monotonic() > deadline:
                raise ServiceError(f"postgres was not ready in {timeout:g} s")
            time.sleep(0.05)

    def _client(self, program: str, *arguments: str) -> None:
        command = [_program(program), "-h", HOST, "-p", str(self.port), "-U", _SUPERUSER]
        self._run([*command, *arguments], env=clean_environment("PG"))

    def _stop_process(self, process: subprocess.Popen[bytes]) -> None:
        """Stop "fast": at a plain TERM the server would wait for its clients to go."""
        stop_process(process, first=signal.SIGINT)

    def _make_state(self) -> None:
        """Create the state directory for the server's user, where that user can reach it.

        pytest's directories are closed to other users (and can be too long for a Unix socket),
        so for a server that runs as user postgres the state goes to /var/tmp instead.
        """
        super()._make_state()
        user = _server_user()
        fits = len(os.fsencode(self.state)) <= _LONGEST_SOCKET_DIR
        reachable = user is None or _can_enter(user, self.state.parent)
        if not fits or not reachable:
            self._remove_state()
            elsewhere = _ELSEWHERE if _ELSEWHERE.is_dir() else None
            self.state = Path(tempfile.mkdtemp(prefix="oarepo-s3-postgres-", dir=elsewhere))
        if user is not None:
            shutil.chown(self.state, user)


def _program(name: str) -> str:
    return str(find_program(name, _PACKAGE, _program_dirs()))
