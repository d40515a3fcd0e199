# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A store that keeps silent must not hold all workers of a web server.

Each call to it ends in a time-out, but while every worker waits for one, nobody answers anybody. So
after a call has timed out, the others are refused at once for a while; then one of them, and only
one, tries whether the store answers again. ("Circuit breaker", M. Nygard, *Release It!*)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from ..core.errors import StoreUnavailable


class Breaker:
    """Refuses calls to a store that has just kept silent; thread-safe.

    :param pause: seconds until the next call may try; 0 to refuse nothing.
    :param timeouts: the exceptions that say that the store kept silent. An error that comes at once
        (a refused connection, an answer 503) holds nobody, and is not among them.
    :param clock: returns seconds, from any beginning.
    """

    def __init__(
        self,
        pause: float,
        timeouts: tuple[type[Exception], ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pause = pause
        self._timeouts = timeouts
        self._clock = clock
        self._lock = Lock()
        self._silent_until: float | None = None

    @contextmanager
    def guard(self, *timeouts: type[Exception]) -> Iterator[None]:
        """Let the block call the store, or refuse.

        :param timeouts: what counts as silence in this call, when it is something else.
        :raises StoreUnavailable: when the store kept silent a moment ago.
        """
        silence = timeouts or self._timeouts
        self._enter()
        try:
            yield
        except silence:
            with self._lock:
                self._silent_until = self._clock() + self._pause
            raise
        with self._lock:
            self._silent_until = None

    def _enter(self) -> None:
        with self._lock:
            if self._silent_until is None or not self._pause:
                return
            if self._clock() < self._silent_until:
                raise StoreUnavailable(reason="it kept silent a moment ago")
            # This call tries; whoever comes while it waits is refused.
            self._silent_until = self._clock() + self._pause
