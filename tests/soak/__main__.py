# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``python -m tests.soak``: exit status 0 when all is equal, 1 when not, 2 for a wrong call."""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from demo.interrupts import Interrupts
from tests.services import Missing, ServiceError

from .chaos import Breaker, Killer
from .compare import Line, compare
from .evidence import gather, is_quiet
from .ledger import Ledger
from .report import comparison, figures
from .threads import Stoppable
from .uploader import Uploader
from .world import BEAT, WEB, WORKERS, World

UPLOADERS = 8
_JOIN = 60
_SETTLE = 75
"""Seconds that the tasks have to finish what is left: some leases, and the grace of orphans."""


def main() -> int:
    """Run, print, and leave nothing behind but the logs of a run that ended badly."""
    arguments = parse()
    interrupts = Interrupts()
    interrupts.watch()
    directory = Path(tempfile.mkdtemp(prefix="oarepo-s3-soak-"))
    keep = True
    try:
        lines = soak(directory, arguments.seconds, arguments.seed, interrupts)
        keep = not all(line.equal for line in lines)
        return int(keep)
    except KeyboardInterrupt:
        keep = False
        print("interrupted", file=sys.stderr)
        return 1
    except (Missing, ServiceError) as error:
        print(error, file=sys.stderr)
        return 1
    finally:
        interrupts.ignore()
        put_away(directory, keep=keep)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument(
        "--seconds",
        type=positive,
        default=240,
        help="how long to upload and to break things (240: with start and end about 5 minutes)",
    )
    parser.add_argument("--seed", type=int, default=random.randrange(10**6), help="of all choices")
    return parser.parse_args()


def positive(text: str) -> float:
    """Return a number above 0."""
    number = float(text)
    if not 0 < number <= 3600:
        raise ValueError(text)
    return number


def soak(directory: Path, seconds: float, seed: int, interrupts: Interrupts) -> list[Line]:
    """Start, break, settle, compare and print."""
    begun = time.monotonic()
    print(f"soak: seed {seed}, {seconds:g} s, {UPLOADERS} uploaders", flush=True)
    ledger = Ledger()
    with ExitStack() as stack:
        # A process that is just being started is in nobody's list yet.
        with interrupts.held():
            world = stack.enter_context(World(directory))
        # Called before anything is stopped: from then on nothing interrupts.
        stack.callback(interrupts.ignore)
        run_load(world, ledger, seconds, seed)
        loaded = time.monotonic()
        settle(world)
        settled = time.monotonic()
        evidence = gather(world)
        results = world.results()
    lines = compare(evidence, ledger, world.died)
    for text in (*figures(evidence, ledger, results), *comparison(lines)):
        print(text)
    unequal = sum(not line.equal for line in lines)
    print(
        f"soak: {'all equal' if not unequal else f'{unequal} UNEQUAL'}: seed {seed},"
        f" {time.monotonic() - begun:.0f} s in all, start and load {loaded - begun:.0f} s,"
        f" settled in {settled - loaded:.0f} s",
        flush=True,
    )
    return lines


def run_load(world: World, ledger: Ledger, seconds: float, seed: int) -> None:
    """Let the uploaders work while everything breaks."""
    evil = [Killer(seed, seconds, world, ledger), Breaker(seed, world, ledger)]
    uploaders = [Uploader(number, seed, world, ledger) for number in range(UPLOADERS)]
    threads: list[Stoppable] = [*evil, *uploaders]
    for thread in threads:
        thread.start()
    try:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and all(thread.is_alive() for thread in threads):
            time.sleep(0.2)
    finally:
        for thread in threads:
            thread.stop.set()
        # Also after an interrupt: they must not start anything that is being stopped.
        for thread in evil:
            thread.join(_JOIN)
    # With the faults gone the clients end what they have begun.
    for thread in threads:
        thread.join(_JOIN)
        if thread.error is not None:
            raise thread.error
        if thread.is_alive():
            raise ServiceError(f"{thread.name} did not end in {_JOIN} s")


def settle(world: World) -> None:
    """Stop the web processes as they are; the tasks have to finish what is left, and then end."""
    for name in WEB:
        world.kill(name)
    # Time stops for those that are still open: no task may be needed after the last one has run.
    world.sql(
        "UPDATE oarepo_s3_upload SET expires_at = expires_at + interval '1 day'"
        " WHERE state = 'pending' AND expires_at > now() AT TIME ZONE 'UTC' + interval '2 s'"
    )
    time.sleep(3)
    deadline = time.monotonic() + _SETTLE
    while not is_quiet(world) and time.monotonic() < deadline:
        time.sleep(1)
    world.kill(BEAT)
    for name in WORKERS:
        world.end(name)


def put_away(directory: Path, *, keep: bool) -> None:
    """Remove all but the logs; those too, unless somebody has to read them."""
    logs = list(directory.rglob("*.log")) if keep else []
    if not logs:
        shutil.rmtree(directory)
        return
    kept = directory.with_name(f"{directory.name}-logs")
    kept.mkdir()
    for log in logs:
        shutil.copy(log, kept / f"{log.parent.parent.name}-{log.name}")
    shutil.rmtree(directory)
    print(f"logs: {kept}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
