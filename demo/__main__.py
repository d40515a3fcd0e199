# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``python -m demo``: start the servers, then serve, or upload one file; see run-demo.sh."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import time
from pathlib import Path

from . import once
from .arguments import Wish, parse
from .errors import DemoError
from .guide import guide
from .interrupts import Interrupts
from .progress import step
from .servers import Repository, log_tail, start

_WATCH_EVERY = 0.5
_INTERRUPTED = 130


def main() -> int:
    """Do what the command line says and return the exit status.

    Whatever happens, the servers are ended and their files removed before it returns.
    """
    wish = parse(sys.argv[1:])
    interrupts = Interrupts()
    interrupts.watch()
    try:
        with contextlib.ExitStack() as stack:
            directory = Path(
                stack.enter_context(tempfile.TemporaryDirectory(prefix="oarepo-s3-demo-"))
            )
            done = _run(wish, stack, directory, interrupts)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except DemoError as error:
        print(f"demo: failed: {error}", file=sys.stderr)
        return 1
    # Only now: the line also says that everything was put away.
    print(f"demo: ok: {done}")
    return 0


def _run(wish: Wish, stack: contextlib.ExitStack, directory: Path, interrupts: Interrupts) -> str:
    try:
        with step("start servers") as running:
            repository = start(
                stack,
                directory,
                port=wish.port,
                # By hand one also tries what a stream cannot take, such as a part sent again.
                streaming=wish.once,
                interrupts=interrupts,
                running=running,
            )
            running.note = ", ".join(repository.services)
        if wish.once:
            return _once(wish, repository, directory)
        return _serve(repository, directory)
    finally:
        # Called before anything is put away.
        interrupts.ignore()


def _once(wish: Wish, repository: Repository, directory: Path) -> str:
    try:
        file = once.prepare(wish, directory)
        return once.run(repository.api, repository.bucket, file, wish.part_size)
    except DemoError as error:
        # Of a server that has died, its end is the reason, and not what the client met with.
        if dead := repository.find_dead():
            raise DemoError(f"{error}\n{dead}") from error
        raise DemoError(f"{error}{log_tail(repository.services['REST API'])}") from error


def _serve(repository: Repository, directory: Path) -> str:
    print(guide(repository, directory), flush=True)
    try:
        while (dead := repository.find_dead()) is None:
            time.sleep(_WATCH_EVERY)
    except KeyboardInterrupt:
        # The way to end it, not a failure.
        return "ended as asked"
    raise DemoError(dead)


if __name__ == "__main__":
    sys.exit(main())
