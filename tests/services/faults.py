# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the fault proxy shall break, and what it has broken: shared by a test and its thread."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What goes wrong; the default is nothing."""

    latency: float = 0
    """Seconds that each reply is held back before its first byte passes."""

    rate: float = 0
    """Bytes per second in each direction of each connection; 0 is no limit."""

    reset_up: int | None = None
    """Reset a connection once this many bytes went to the server since the fault was set."""

    reset_down: int | None = None
    """Reset a connection once this many bytes went to the client since the fault was set."""

    drop_response: bool = False
    """Pass the request, and reset instead of its reply: the client cannot know if it was done.

    An interim reply (100 Continue) passes, or the client would never send the body.
    """

    refuse: bool = False
    """Reset each new connection at once."""

    blackhole: bool = False
    """Accept everything and answer nothing; a connection caught in it never recovers."""

    times: int | None = None
    """After so many cuts all connections pass; latency and rate are not cuts. None: no end."""


@dataclass(kw_only=True)
class Counters:
    """What happened since the start or the last reset."""

    connections: int = 0

    cuts: int = 0
    """Connections that were reset, refused or swallowed."""

    bytes_up: int = 0
    """Bytes that were passed to the server."""

    bytes_down: int = 0
    """Bytes that were passed to the client."""


class Switchboard:
    """The current faults and the counters, safe to use from two threads."""

    def __init__(self) -> None:
        """Begin with all well and all at zero."""
        self._lock = threading.Lock()
        self._cuts_left: int | None = None
        self.faults = Faults()
        self.counters = Counters()

    def switch(self, faults: Faults) -> None:
        """Replace the faults."""
        with self._lock:
            self.faults = faults
            self._cuts_left = faults.times

    def clear_counters(self) -> None:
        """Count from zero."""
        with self._lock:
            self.counters = Counters()

    def claim_cut(self) -> bool:
        """Say whether one more connection may be cut, and count it."""
        with self._lock:
            if self._cuts_left == 0:
                return False
            if self._cuts_left is not None:
                self._cuts_left -= 1
            self.counters.cuts += 1
            return True

    def count(self, *, connections: int = 0, up: int = 0, down: int = 0) -> None:
        """Add to the counters."""
        with self._lock:
            self.counters.connections += connections
            self.counters.bytes_up += up
            self.counters.bytes_down += down
