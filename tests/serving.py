# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Servers in a thread of the test process."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from socketserver import BaseServer
from typing import Any

from werkzeug.serving import make_server

from .services.process import HOST


@contextlib.contextmanager
def in_thread(server: BaseServer) -> Iterator[None]:
    """Let a server serve, and close it in the end."""
    thread = threading.Thread(target=server.serve_forever, args=[0.05], daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join(timeout=10)
        server.server_close()


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """Serve an application, with a thread for each request; return its address."""
    server = make_server(HOST, 0, app, threaded=True)
    with in_thread(server):
        yield f"http://{HOST}:{server.port}"
