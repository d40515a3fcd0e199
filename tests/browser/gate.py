# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Between the browser and the store: a network that breaks, and a gateway that counts."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

from ..services import Answer, AnswerProxy, Exchange, FaultProxy

PATIENCE = 180
"""Seconds that a test waits for what has to come, also where other tests keep the machine busy."""

_MANY = 1_000_000


class Gate:
    """A network and a gateway in front of a store; presign URLs for ``endpoint_url``.

    :param port: of the store on this machine.
    """

    def __init__(self, port: int) -> None:
        self.gateway = AnswerProxy(port)
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Gate:
        with contextlib.ExitStack() as stack:
            stack.enter_context(self.gateway)
            self.network = stack.enter_context(FaultProxy(self.gateway.port))
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    @property
    def endpoint_url(self) -> str:
        """The store's address for browsers."""
        return self.network.endpoint_url

    def reset(self) -> None:
        """Let all pass, and forget what was."""
        self.network.reset()
        self.gateway.reset()

    def requests(self, method: str) -> list[Exchange]:
        """Return what came by a method, such as PUT or OPTIONS."""
        return [each for each in self.gateway.exchanges if each.method == method]

    def sent(self) -> Counter[int]:
        """Return how often each part came whole and was taken by the store."""
        return Counter(part_of(each) for each in self.requests("PUT") if each.status == 200)

    def statuses(self) -> Counter[int | None]:
        """Return how often each status was the answer to a part."""
        return Counter(each.status for each in self.requests("PUT"))

    def most_at_once(self) -> int:
        """Return how many parts were on their way at the same time, at most."""
        moments = [
            moment
            for each in self.requests("PUT")
            # Of one that begins where another ends, the end counts first.
            for moment in ((each.begun, 1), (each.ended, -1))
        ]
        under_way = most = 0
        for _, step in sorted(moments):
            under_way += step
            most = max(most, under_way)
        return most

    def settle(self) -> None:
        """Wait until nothing is under way."""
        deadline = time.monotonic() + PATIENCE
        while self.gateway.under_way:
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @contextlib.contextmanager
    def held(self, *, after: int = 0) -> Iterator[Hold]:
        """Let so many parts pass and keep the answers to the others back, up to the end."""
        hold = Hold()
        if after:
            self.answer_parts(lambda own: own, times=after)
        self.answer_parts(hold)
        try:
            yield hold
        finally:
            hold.release()

    def answer_parts(self, what: Any, *, times: int = _MANY, forward: bool = True) -> None:
        """Replace the answers to parts; see ``AnswerProxy.answer``."""
        self.gateway.answer(what, method="PUT", query="", times=times, forward=forward)


class Hold:
    """Keeps answers back until it is released; a part that it holds is at the store."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._released = False
        self.count = 0
        """Answers that were held back."""

    def __call__(self, own: Answer | None) -> Answer:
        with self._changed:
            self.count += 1
            self._changed.notify_all()
            assert self._changed.wait_for(lambda: self._released, PATIENCE)
        assert own is not None
        return own

    def wait(self, count: int) -> None:
        """Wait until so many answers are held."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.count >= count, PATIENCE), self.count

    def release(self) -> None:
        """Let all answers go, and those to come."""
        with self._changed:
            self._released = True
            self._changed.notify_all()


def part_of(exchange: Exchange) -> int:
    """Return the number of the part that was sent; 1 for a file that goes in one request."""
    return int(exchange.query.get("partNumber", 1))
