# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An HTTP proxy on loopback that gives answers in the server's place, as gateways do.

Where :class:`~tests.services.FaultProxy` breaks connections, this one keeps to HTTP: each request
goes on to the server as it came, with its Host header, and a test may replace the answer. It runs
in threads of the test process. SigV4 signs the Host header: URLs that shall pass the proxy must be
presigned for the proxy's ``endpoint_url``.
"""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from urllib.parse import parse_qsl, urlsplit

from .process import HOST, ServiceError

_UPSTREAM_TIMEOUT = 60

# Each is about one connection only, and there are two; the length is counted anew.
_HOP_BY_HOP = {"connection", "expect", "keep-alive", "te", "trailer", "transfer-encoding"}


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    ``Content-Length`` is counted. To promise more than there is, and so to break off, give one.
    """

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Exchange:
    """A request that has come to its end; times are those of ``time.monotonic``."""

    method: str
    target: str
    """Path and query."""
    size: int
    """Bytes of the body that came."""
    status: int | None
    """What was answered; None when the client went away before its request was whole, or the server
    without an answer."""
    begun: float
    ended: float

    @property
    def query(self) -> dict[str, str]:
        """The parameters in the query string; those without a value are empty."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


Change = Callable[[Answer | None], Answer]
"""Makes the answer of the server's own one, which is None when the server was not asked."""


@dataclass
class _Rule:
    method: str
    query: str
    change: Change
    forward: bool
    left: int

    def fits(self, method: str, target: str) -> bool:
        return self.left > 0 and method == self.method and self.query in urlsplit(target).query


class AnswerProxy:
    """A proxy in front of the HTTP server on ``upstream_port`` of this machine."""

    def __init__(self, upstream_port: int) -> None:
        """Prepare; ``start`` opens the port."""
        self.upstream_port = upstream_port
        self.port = 0
        self.changed = 0
        """Answers that were replaced since the start or the last :meth:`reset`."""
        self.exchanges: list[Exchange] = []
        """All requests since the start or the last :meth:`reset`, in the order of their ends."""
        self.under_way = 0
        """Requests that have begun, and not ended yet."""
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

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

    def answer(
        self,
        what: Answer | Change,
        *,
        method: str,
        query: str = "",
        times: int = 1,
        forward: bool = True,
    ) -> None:
        """Replace the answers to the next requests that fit.

        :param what: the answer, or a function that makes it of the server's own.
        :param method: method of the requests.
        :param query: text that their query string has to contain.
        :param times: how many of them.
        :param forward: let the server do the request all the same.
        """
        change = what if callable(what) else lambda _: what
        with self._lock:
            self._rules.append(_Rule(method, query, change, forward, times))

    def reset(self) -> None:
        """Pass on all answers again, and count from zero."""
        with self._lock:
            self._rules.clear()
            self.changed = 0
            self.exchanges = []

    def began(self) -> None:
        """Count a request."""
        with self._lock:
            self.under_way += 1

    def ended(self, exchange: Exchange) -> None:
        """Note what became of a request."""
        with self._lock:
            self.under_way -= 1
            self.exchanges.append(exchange)

    def start(self) -> None:
        """Open the port.

        :raises ServiceError: when it runs already.
        """
        if self._server is not None:
            raise ServiceError("AnswerProxy runs already")
        self._server = ThreadingHTTPServer((HOST, 0), _handler_for(self))
        self.port = self._server.server_port
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=[0.05], name="answer-proxy", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close the port; requests that are under way come to their end."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join(timeout=10)
        self._server.server_close()
        self._server = self._thread = None

    def respond(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Return the answer to a request."""
        rule = self._claim(method, target)
        own = None
        if rule is None or rule.forward:
            own = self._ask(method, target, headers, body)
        return own if rule is None else rule.change(own)

    def _claim(self, method: str, target: str) -> _Rule | None:
        with self._lock:
            for rule in self._rules:
                if rule.fits(method, target):
                    rule.left -= 1
                    self.changed += 1
                    return rule
        return None

    def _ask(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Answer:
        upstream = http.client.HTTPConnection(HOST, self.upstream_port, timeout=_UPSTREAM_TIMEOUT)
        try:
            # The client's own Host and Accept-Encoding: the signature may cover them.
            upstream.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            for name, value in headers.items():
                if name.lower() not in _HOP_BY_HOP:
                    upstream.putheader(name, value)
            # A server that refuses need not read to the end, and may have answered all the same.
            with contextlib.suppress(BrokenPipeError):
                upstream.endheaders(body or None)
            reply = upstream.getresponse()
            content = reply.read()
            # The answer to a HEAD has a length and no body.
            counted = set() if method == "HEAD" else {"content-length"}
            kept = {
                name: value
                for name, value in reply.getheaders()
                if name.lower() not in _HOP_BY_HOP | counted
            }
            return Answer(reply.status, content, kept)
        finally:
            upstream.close()


def _handler_for(proxy: AnswerProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            # Each connection ends with its answer: none is left open when the proxy stops.
            self.close_connection = True
            if "Transfer-Encoding" in self.headers:
                self.send_error(411, "only bodies with a Content-Length are passed on")
                return
            begun = time.monotonic()
            proxy.began()
            length = int(self.headers.get("Content-Length") or 0)
            body = self._read(length)
            answer = self._ask(body) if len(body) == length else None
            status = None if answer is None else answer.status
            proxy.ended(
                Exchange(self.command, self.path, len(body), status, begun, time.monotonic())
            )
            if answer is not None:
                self._write(answer)

        def _read(self, length: int) -> bytes:
            """Return the body, or what came of it until the client went away."""
            try:
                return self.rfile.read(length)
            except ConnectionError:
                return b""

        def _ask(self, body: bytes) -> Answer | None:
            """Return the answer, or None when the server went away without one: so do we."""
            try:
                return proxy.respond(self.command, self.path, dict(self.headers), body)
            except ConnectionError:
                return None

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_OPTIONS = _pass_on

        def _write(self, answer: Answer) -> None:
            self.send_response_only(answer.status)
            length = {"Content-Length": str(len(answer.body)), "Connection": "close"}
            for name, value in {**length, **answer.headers}.items():
                self.send_header(name, value)
            # Who has gone away meanwhile needs no answer.
            with contextlib.suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(b"" if self.command == "HEAD" else answer.body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
