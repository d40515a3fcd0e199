# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Debian's Chromium, and what a person does in it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, CDPSession, Error, Page, sync_playwright

from ..services.process import find_program
from .gate import PATIENCE

FLAGS = (
    # Root has no sandbox; and nothing here is from elsewhere.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # It calls nobody by itself.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


class Chromium:
    """The browser, running.

    Not for longer than needed: Playwright leaves an event loop running in this thread, in which
    other tests could not run one.
    """

    def __init__(self) -> None:
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> Chromium:
        """Start it.

        :raises Missing: when it is not installed.
        """
        program = find_program("chromium", "chromium")
        with contextlib.ExitStack() as stack:
            playwright = stack.enter_context(sync_playwright())
            self._browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
            stack.callback(self._browser.close)
            self._tools = self._browser.new_browser_cdp_session()
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def new_context(self, **options: Any) -> BrowserContext:
        """Return a browser that knows nothing yet; the options are those of Playwright."""
        return self._browser.new_context(**options)

    def pids(self) -> list[int]:
        """Return the processes of the browser."""
        return [each["id"] for each in self._tools.send("SystemInfo.getProcessInfo")["processInfo"]]


def drop(page: Page, selector: str, files: Sequence[Path]) -> None:
    """Drag files from the disk to the middle of an element, and drop them there.

    The browser does it itself: the events are trusted, and the files are those on the disk.
    """
    target = page.locator(selector)
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    place = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
    dragged = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    session = devtools(page)
    for event in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": event, **place, "data": dragged})
    session.detach()


def devtools(page: Page) -> CDPSession:
    """Return a session of the developer tools of a page."""
    return page.context.new_cdp_session(page)


def crash(page: Page) -> None:
    """Let the process of a tab end at once, and close the tab."""
    with page.expect_event("crash"), contextlib.suppress(Error):
        # The one who would answer is gone.
        page.goto("chrome://crash")
    page.close()


def wait_until(holds: Callable[[], bool], page: Page) -> None:
    """Wait until a condition holds, which is asked of others than the page; the page goes on."""
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline
        page.wait_for_timeout(100)
