# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The life of a demonstration: start the servers, go through it once or serve, put all away."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .errors import DemoError
from .interrupts import Interrupts
from .progress import step
from .servers import Repository, log_tail, start

_WATCH_EVERY = 0.5
_INTERRUPTED = 130

Part = Callable[[Repository, Path], str]
"""What is done with the running servers, and the folder that goes away with them."""


@dataclass(frozen=True, slots=True)
class Show:
    """What is shown.

    :param name: begins the last line.
    :param application: see :class:`~demo.settings.Settings`.
    :param port: port of the REST API; None for a free one.
    :param streaming: see :class:`~demo.servers.Store`.
    :param once: goes through it, and returns in a few words what was done; None to serve.
    :param guide: returns the text to print while it serves.
    """

    name: str
    application: str
    port: int | None
    streaming: bool
    once: Part | None
    guide: Part


def run(show: Show) -> int:
    """Show it and return the exit status.

    Whatever happens, the servers are ended and their files removed before it returns.
    """
    interrupts = Interrupts()
    interrupts.watch()
    try:
        with contextlib.ExitStack() as stack:
            directory = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix=f"oarepo-s3-{show.name}-"))
            )
            done = _run(show, stack, directory, interrupts)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except DemoError as error:
        print(f"{show.name}: failed: {error}", file=sys.stderr)
        return 1
    # Only now: the line also says that everything was put away.
    print(f"{show.name}: ok: {done}")
    return 0


def _run(show: Show, stack: contextlib.ExitStack, directory: Path, interrupts: Interrupts) -> str:
    try:
        with step("start servers") as running:
            repository = start(
                stack,
                directory,
                application=show.application,
                port=show.port,
                streaming=show.streaming,
                interrupts=interrupts,
                running=running,
            )
            running.note = ", ".join(repository.services)
        if show.once is None:
            return _serve(repository, show.guide(repository, directory))
        return _once(repository, show.once, directory)
    finally:
        # Called before anything is put away.
        interrupts.ignore()


def _once(repository: Repository, once: Part, directory: Path) -> str:
    try:
        return once(repository, directory)
    except DemoError as error:
        # Of a server that has died, its end is the reason, and not what the client met with.
        if dead := repository.find_dead():
            raise DemoError(f"{error}\n{dead}") from error
        raise DemoError(f"{error}{log_tail(repository.services['REST API'])}") from error


def _serve(repository: Repository, guide: str) -> str:
    print(guide, flush=True)
    try:
        while (dead := repository.find_dead()) is None:
            time.sleep(_WATCH_EVERY)
    except KeyboardInterrupt:
        # The way to end it, not a failure.
        return "ended as asked"
    raise DemoError(dead)
