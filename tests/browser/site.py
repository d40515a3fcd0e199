# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A repository as a browser sees it: the REST API below ``/api``, and a page with the uploader."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

from flask import Flask, render_template_string, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.serving import WSGIRequestHandler, make_server

from oarepo_s3.views.pages import create_blueprint

from ..services.process import HOST
from ..serving import in_thread

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Upload</title><style>{{ style | safe }}</style></head>
<body><main><h1>Upload</h1>{{ content | safe }}</main></body>
</html>"""

STYLE = """
:root { color-scheme: light dark; }
body { margin: 0; font-family: sans-serif; }
main { padding: 0.5rem 1rem 1rem; }
"""


class Quiet(WSGIRequestHandler):
    """Logs nothing: what goes wrong is seen in the browser."""

    def log(self, *_: Any) -> None:
        """Say nothing."""


class Site:
    """The pages beside an application's API, served on one port.

    :param pages: the application of the pages; None for an empty one.
    """

    def __init__(self, api: Flask, port: int, pages: Flask | None = None) -> None:
        self.pages = pages or Flask("pages", static_folder=None)
        self._application = DispatcherMiddleware(self.pages, {"/api": api})
        self._port = port

    def address_at(self, host: str) -> str:
        """Return the address for those who know this machine by a name."""
        return f"http://{host}:{self._port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator[Site]:
        """Serve, with a thread for each request."""
        server = make_server(
            HOST, self._port, self._application, threaded=True, request_handler=Quiet
        )
        with in_thread(server):
            yield self


def add_page(site: Site) -> None:
    """Add ``/uploader``: the macro, with the query string as its arguments."""
    site.pages.register_blueprint(create_blueprint(site.pages))

    @site.pages.get("/uploader")
    def uploader() -> str:
        macro = '{% from "oarepo_s3/uploader.html" import uploader %}{{ uploader(**given) }}'
        content = render_template_string(macro, given=request.args.to_dict())
        return render_template_string(_PAGE, style=STYLE, content=content)
