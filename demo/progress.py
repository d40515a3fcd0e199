# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a person sees: steps with their times, and a bar for those that move many bytes."""

from __future__ import annotations

import contextlib
import shutil
import sys
import threading
import time
from collections.abc import Iterator

from tests.services import Missing, ServiceError

from .errors import DemoError

_NAME_WIDTH = 22
_REDRAW_EVERY = 0.1
_CLEAR_LINE = "\r\x1b[K"
_QUARTERS = 4


def human(size: float) -> str:
    """Write a number of bytes, in powers of ten as file managers do."""
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} TB"


class Step:
    """One step, while it runs."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.note = ""
        """What to say behind the time; set it before the step ends."""
        self._begun = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it has been running."""
        return time.monotonic() - self._begun

    def show(self, text: str) -> None:
        """Show something for the moment, where a line can be overwritten."""
        if sys.stdout.isatty():
            width = shutil.get_terminal_size().columns - 1
            line = f"{self.name:<{_NAME_WIDTH}} {text}"[:width]
            print(f"{_CLEAR_LINE}{line}", end="", flush=True)


@contextlib.contextmanager
def step(name: str) -> Iterator[Step]:
    """Run a block as a step: afterwards its name, time and note stand on a line of their own.

    :raises DemoError: with the step's name, when something in it goes wrong.
    """
    running = Step(name)
    running.show("...")
    try:
        yield running
    except (DemoError, Missing, OSError, ServiceError) as error:
        raise DemoError(f"{name}: {error}") from error
    finally:
        if sys.stdout.isatty():
            print(_CLEAR_LINE, end="", flush=True)
    print(f"{name:<{_NAME_WIDTH}} {running.seconds:6.2f} s  {running.note}".rstrip(), flush=True)


class Bar:
    """Counts bytes, from any thread: a bar on a terminal, elsewhere a line for every quarter."""

    def __init__(self, running: Step, total: int) -> None:
        """Count towards ``total`` bytes in a step."""
        self._step = running
        self._total = total
        self._done = 0
        self._quarter = 0
        self._drawn = 0.0
        self._lock = threading.Lock()
        self._terminal = sys.stdout.isatty()

    def add(self, count: int) -> None:
        """Count bytes; a negative number for those that have to be sent once more."""
        with self._lock:
            self._done += count
            if self._terminal:
                self._draw()
            else:
                self._report()

    def rate(self) -> str:
        """Write the bytes per second until now."""
        return f"{human(self._done / max(self._step.seconds, 1e-3))}/s"

    def _draw(self) -> None:
        now = time.monotonic()
        if now - self._drawn < _REDRAW_EVERY:
            return
        self._drawn = now
        share = self._share()
        width = max(10, min(40, shutil.get_terminal_size().columns - 60))
        bar = "#" * int(share * width)
        self._step.show(f"[{bar:<{width}}] {share:4.0%}  {human(self._done)}  {self.rate()}")

    def _report(self) -> None:
        quarter = int(self._share() * _QUARTERS)
        if self._total and quarter > self._quarter:
            self._quarter = quarter
            done, total = human(self._done), human(self._total)
            print(f"  {self._step.name}: {self._share():.0%}, {done} of {total}", flush=True)

    def _share(self) -> float:
        return self._done / self._total if self._total else 1.0
