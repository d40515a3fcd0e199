# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Send the parts of a file straight to the store, some at a time.

The bytes go from the file to the socket in small pieces, so memory stays flat whatever the size of
a part.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, as_completed, wait
from pathlib import Path

from .client import PIECE, Client, Session
from .errors import DemoError
from .progress import Bar

THREADS = 4
_AHEAD = 2 * THREADS
_ATTEMPTS = 3


class _Cancelled(Exception):
    """Another part failed, or the person gave up: this one need not go on."""


class _PartBody:
    """A part of a file as the body of a request, next to other threads that read the file."""

    def __init__(self, sender: _Sender, offset: int, length: int) -> None:
        self._sender = sender
        self._offset = offset
        self._left = length
        self.sent = 0

    def read(self, size: int = PIECE) -> bytes:
        """Return the next piece; its bytes count as sent from now on."""
        if self._sender.stop.is_set():
            raise _Cancelled
        # pread has no position that threads would have to share.
        piece = os.pread(self._sender.file, min(size, self._left), self._offset + self.sent)
        if self._left and not piece:
            raise DemoError("the file has become shorter while it was read")
        self._left -= len(piece)
        self.sent += len(piece)
        self._sender.bar.add(len(piece))
        return piece


class _Sender:
    """What the threads share."""

    def __init__(self, client: Client, session: Session, file: int, size: int, bar: Bar) -> None:
        self.client = client
        self.session = session
        self.file = file
        self.size = size
        self.bar = bar
        self.stop = threading.Event()

    def send(self, number: int, url: str) -> None:
        """Send one part; if that fails, again with a fresh URL, as the old one may have expired."""
        offset = (number - 1) * self.session.part_size
        length = min(self.session.part_size, self.size - offset)
        for attempt in range(1, _ATTEMPTS + 1):
            body = _PartBody(self, offset, length)
            try:
                self.client.put(url, body, length)
            except DemoError as error:
                self.bar.add(-body.sent)
                if attempt == _ATTEMPTS:
                    raise DemoError(f"part {number}: {error}") from error
            else:
                return
            time.sleep(attempt / 2)
            url = self.client.fresh_url(self.session, number)


def send_parts(client: Client, session: Session, file: Path, size: int, bar: Bar) -> None:
    """Send all parts of a file; the first failure stops the others.

    :raises DemoError: when a part could not be sent.
    """
    with file.open("rb", buffering=0) as opened, ThreadPoolExecutor(THREADS) as pool:
        sender = _Sender(client, session, opened.fileno(), size, bar)
        jobs: set[Future[None]] = set()
        try:
            for number, url in client.addresses(session):
                if len(jobs) >= _AHEAD:
                    done, jobs = wait(jobs, return_when=FIRST_COMPLETED)
                    _require(done)
                jobs.add(pool.submit(sender.send, number, url))
            _require(as_completed(jobs))
        finally:
            sender.stop.set()
            pool.shutdown(cancel_futures=True)


def _require(jobs: Iterable[Future[None]]) -> None:
    """Raise the error of the first job that has one."""
    for job in jobs:
        job.result()
