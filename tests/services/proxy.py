# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A TCP proxy on loopback that breaks connections on demand, in the ways that networks do.

It runs in a thread of the test process, so a test switches faults by a call. SigV4 signs the
Host header: URLs that shall pass the proxy must be presigned for the proxy's ``endpoint_url``.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any, Self

from .faults import Counters, Faults, Switchboard
from .process import HOST, ServiceError

_CHUNK = 65536
_INTERIM = b"HTTP/1.1 1"
_END_OF_HEAD = b"\r\n\r\n"


class FaultProxy:
    """A proxy in front of the server on ``upstream_port`` of this machine."""

    def __init__(self, upstream_port: int) -> None:
        """Prepare; ``start`` opens the port."""
        self.upstream_port = upstream_port
        self.port = 0
        self._board = Switchboard()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()
        self._connections: dict[asyncio.Task[None], _Connection] = {}

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Stop."""
        self.stop()

    @property
    def endpoint_url(self) -> str:
        """Where clients shall send what they would send to the server."""
        return f"http://{HOST}:{self.port}"

    @property
    def counters(self) -> Counters:
        """What happened since the start or the last :meth:`reset`."""
        return self._board.counters

    def faults(self, **settings: Any) -> None:
        """Replace all faults by these fields of :class:`Faults`; without any, all is well."""
        self._board.switch(Faults(**settings))

    def reset(self) -> None:
        """Let all be well, and count from zero; connections that still hang are left alone."""
        self.faults()
        self._board.clear_counters()

    def start(self) -> None:
        """Open the port, in a thread with an event loop of its own.

        :raises ServiceError: when it runs already.
        """
        if self._thread is not None:
            raise ServiceError("FaultProxy runs already")
        listener = socket.create_server((HOST, 0))
        listener.setblocking(False)
        self.port = listener.getsockname()[1]
        self._stopping = asyncio.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._run, args=(self._loop, listener), name="fault-proxy", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port and reset the connections that are left."""
        if self._thread is None or self._loop is None:
            return
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(timeout=10)
        self._thread = self._loop = None

    def _run(self, loop: asyncio.AbstractEventLoop, listener: socket.socket) -> None:
        with contextlib.closing(loop), listener:
            loop.run_until_complete(self._serve(listener))

    async def _serve(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, self._accept, listener)
        await self._stopping.wait()
        loop.remove_reader(listener)
        listener.close()
        await self._reset_all()

    def _accept(self, listener: socket.socket) -> None:
        try:
            accepted, _ = listener.accept()
        except BlockingIOError:
            # The client went away before we came to it.
            return
        accepted.setblocking(False)
        connection = _Connection(self._board)
        task = asyncio.ensure_future(connection.run(accepted, self.upstream_port))
        self._connections[task] = connection
        task.add_done_callback(self._connections.pop)

    async def _reset_all(self) -> None:
        while self._connections:
            for task, connection in tuple(self._connections.items()):
                # One that was accepted this moment is not open yet: it is met in a later round.
                if connection.is_open:
                    connection.reset()
                    task.cancel()
            await asyncio.sleep(0.01)


class _Cut(ConnectionError):
    """A fault ends this connection."""


class _Connection:
    """A client's connection, and ours to the server."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._faults = board.faults
        self._writers: list[asyncio.StreamWriter] = []
        self._passed = {"up": 0, "down": 0}
        self._reply_awaited = False
        self._swallowed = False

    @property
    def is_open(self) -> bool:
        """Whether there is something to reset."""
        return bool(self._writers)

    async def run(self, accepted: socket.socket, upstream_port: int) -> None:
        """Pass bytes both ways until an end, or a fault, ends the connection."""
        self._board.count(connections=1)
        try:
            from_client, client = await self._open(sock=accepted)
            if self._current().refuse:
                self._cut_if_allowed()
            from_server, server = await self._open(host=HOST, port=upstream_port)
            async with asyncio.TaskGroup() as pumps:
                pumps.create_task(self._pump_up(from_client, server))
                pumps.create_task(self._pump_down(from_server, client))
        except* OSError:
            # A fault, or one side broke the connection: let the other side see it broken.
            self.reset()
        finally:
            for writer in self._writers:
                writer.close()

    def reset(self) -> None:
        """Break both sides with a RST, at once, instead of an orderly end."""
        for writer in self._writers:
            connection: socket.socket = writer.get_extra_info("socket")
            if connection.fileno() != -1:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()

    async def _open(self, **where: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(**where)
        # What drain() lets pass is with the kernel, so that a reset after N bytes is exact.
        writer.transport.set_write_buffer_limits(0)
        self._writers.append(writer)
        return reader, writer

    async def _pump_up(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if not self._is_swallowed():
                self._reply_awaited = True
                await self._pass(data, writer, "up")
        # The client may have ended its request only, and wait for the reply.
        if not writer.is_closing():
            writer.write_eof()

    async def _pump_down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(_CHUNK):
            if not self._is_swallowed():
                interim, rest = self._split(data)
                await self._pass(interim, writer, "down")
                if rest:
                    await self._before_reply()
                    await self._pass(rest, writer, "down")
        # Ends the other pump as well: its reader sees the end.
        writer.close()

    def _split(self, data: bytes) -> tuple[bytes, bytes]:
        """Split off the interim replies (100 Continue) that come before a reply."""
        end = 0
        while self._reply_awaited and data.startswith(_INTERIM, end) and _END_OF_HEAD in data[end:]:
            end = data.index(_END_OF_HEAD, end) + len(_END_OF_HEAD)
        return data[:end], data[end:]

    async def _before_reply(self) -> None:
        """Do what is due between a request and the first byte of its reply."""
        if not self._reply_awaited:
            return
        self._reply_awaited = False
        if self._current().drop_response:
            self._cut_if_allowed()
        await asyncio.sleep(self._current().latency)

    async def _pass(self, data: bytes, writer: asyncio.StreamWriter, direction: str) -> None:
        """Pass ``data`` on, as slowly as the faults say, up to the byte where they cut."""
        faults = self._current()
        limit = faults.reset_up if direction == "up" else faults.reset_down
        room = len(data) if limit is None else limit - self._passed[direction]
        cut = limit is not None and len(data) >= max(room, 1) and self._board.claim_cut()
        for piece in _pieces(data[: max(room, 0)] if cut else data, faults.rate):
            writer.write(piece)
            await writer.drain()
            self._passed[direction] += len(piece)
            self._board.count(**{direction: len(piece)})
            if faults.rate:
                await asyncio.sleep(len(piece) / faults.rate)
        if cut:
            raise _Cut

    def _current(self) -> Faults:
        """Return the faults that hold now; bytes are counted anew for each set of them."""
        faults = self._board.faults
        if faults is not self._faults:
            self._faults = faults
            self._passed = {"up": 0, "down": 0}
        return faults

    def _is_swallowed(self) -> bool:
        if not self._swallowed and self._current().blackhole:
            self._swallowed = self._board.claim_cut()
        return self._swallowed

    def _cut_if_allowed(self) -> None:
        if self._board.claim_cut():
            raise _Cut


def _pieces(data: bytes, rate: float) -> Iterator[bytes]:
    """Cut ``data`` so that a slow connection flows instead of stopping for seconds."""
    size = max(1, int(rate / 20)) if rate else _CHUNK
    for start in range(0, len(data), size):
        yield data[start : start + size]
