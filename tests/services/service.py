# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The life of a test server: started fresh on new ports, stopped, and its files removed."""

from __future__ import annotations

import atexit
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from .process import ServiceError, as_user, stop_process

_LOG_TAIL_LINES = 20


def _tail(log: Path) -> str:
    lines = log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return "\n".join([f"--- {log.name}", *lines])


class Service:
    """A server for tests: started fresh, on new ports, and stopped with its state removed.

    Subclasses write ``_launch``, which calls ``_spawn`` for each process and returns when the
    server is ready. Everything they keep goes below ``state``; logs stay in ``directory/log``
    after the stop.
    """

    start_attempts = 2
    """The second is for the rare case that somebody takes a port before the server binds it."""

    def __init__(self, directory: Path) -> None:
        """Keep the server's files below ``directory``, which is created when it is missing."""
        self.directory = directory.absolute()
        self.state = self.directory / "state"
        self._processes: list[subprocess.Popen[bytes]] = []
        self._logs: list[Path] = []

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop."""
        self.stop()

    def start(self) -> None:
        """Start the server and return when it is ready.

        :raises Missing: when one of its programs is not installed.
        :raises ServiceError: when it does not start, with the tail of its logs.
        """
        if self._processes:
            raise ServiceError(f"{type(self).__name__} runs already")
        for attempt in range(1, self.start_attempts + 1):
            try:
                self._attempt()
            except ServiceError as error:
                message = "\n".join([f"{type(self).__name__}: {error}", *map(_tail, self._logs)])
                lost_a_race = self._has_exited()
                self.stop()
                if attempt == self.start_attempts or not lost_a_race:
                    raise ServiceError(message) from error
            except BaseException:
                self.stop()
                raise
            else:
                return

    def stop(self) -> None:
        """Stop the processes, the last started first, and remove their state."""
        while self._processes:
            self._stop_process(self._processes[-1])
            self._processes.pop()
        self._remove_state()
        atexit.unregister(self.stop)

    @property
    def pids(self) -> list[int]:
        """The processes that run now, in the order of their start."""
        return [process.pid for process in self._processes]

    def describe(self) -> dict[str, str]:
        """Return the addresses and test keys that a person needs to use the server by hand."""
        raise NotImplementedError

    def _launch(self) -> None:
        raise NotImplementedError

    def _attempt(self) -> None:
        self._remove_state()
        self._make_state()
        (self.directory / "log").mkdir(parents=True, exist_ok=True)
        self._logs.clear()
        # A net below a test process that forgets to stop it.
        atexit.register(self.stop)
        self._launch()
        if self._has_exited():
            raise ServiceError("a process exited during the start")

    def _has_exited(self) -> bool:
        return any(process.poll() is not None for process in self._processes)

    def _make_state(self) -> None:
        self.state.mkdir(parents=True)

    def _remove_state(self) -> None:
        if self.state.exists():
            shutil.rmtree(self.state)

    def _stop_process(self, process: subprocess.Popen[bytes]) -> None:
        stop_process(process)

    def _spawn(
        self,
        name: str,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
    ) -> subprocess.Popen[bytes]:
        """Start one process of the server, with its output in ``directory/log/name.log``.

        It gets a session of its own, or a Ctrl-C in the terminal would end it before the tests
        could tear down in order.
        """
        log = self.directory / "log" / f"{name}.log"
        self._logs.append(log)
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=self.state,
                env=env,
                start_new_session=True,
                **as_user(user),
            )
        self._processes.append(process)
        return process

    def _run(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        user: str | None = None,
        timeout: float = 60,
    ) -> str:
        """Run a command to its end and return what it printed.

        :raises ServiceError: with what it said on stderr, when it fails or takes too long.
        """
        program = Path(command[0]).name
        try:
            done = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                cwd=self.state,
                env=env,
                timeout=timeout,
                check=False,
                **as_user(user),
            )
        except subprocess.TimeoutExpired as error:
            raise ServiceError(f"{program} took longer than {timeout:g} s") from error
        if done.returncode:
            said = "\n".join(done.stderr.splitlines()[-_LOG_TAIL_LINES:])
            raise ServiceError(f"{program} failed with {done.returncode}: {said}")
        return done.stdout
