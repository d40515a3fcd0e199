# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Ctrl-C and its kin, without a moment at which they could leave a process behind."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Turns signals into one ``KeyboardInterrupt``, which waits while it would do harm.

    A process that is being started is in nobody's list yet; an interrupt at that moment would lose
    it. And once things are being put away, nothing may stop that.
    """

    def __init__(self) -> None:
        self._held = False
        self._arrived = False
        self._over = False

    def watch(self) -> None:
        """Take the signals over: also Ctrl-C, which a shell's background jobs ignore."""
        for number in _SIGNALS:
            signal.signal(number, self._on_signal)

    def ignore(self) -> None:
        """From now on nothing interrupts."""
        self._over = True

    @contextlib.contextmanager
    def held(self) -> Iterator[None]:
        """Keep an interrupt back until the end of the block; use it for short ones only."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._arrived and not self._over:
            self._raise()

    def _on_signal(self, number: int, frame: object) -> None:
        self._arrived = True
        if not (self._held or self._over):
            self._raise()

    def _raise(self) -> None:
        # A second Ctrl-C must not stop the tidying up after the first.
        self._over = True
        raise KeyboardInterrupt
