# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The uploader's page, as a person uses it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from .chromium import drop
from .gate import PATIENCE
from .visitor import Visitor

MIB = 2**20
PART = 5 * MIB
"""The least that stores take as a part."""

# What a person sees is looked at by the page itself, between any two drawings of it: a glance from
# outside could miss a step back.
_WATCH = """
() => {
  globalThis.shown = []
  const look = () => {
    const bar = document.querySelector('[role=progressbar]')
    const width = bar && Number(bar.getAttribute('aria-valuenow'))
    if (bar && shown.at(-1) !== width) shown.push(width)
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
}
"""


class Uploader:
    """A page with the element."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        """Errors that no script of the page has caught."""
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    @classmethod
    def opened(cls, visitor: Visitor, **attributes: Any) -> Uploader:
        """Open the page with attributes of the element, in a new tab."""
        uploader = cls(visitor.context.new_page())
        uploader.visit(visitor.page_of(attributes))
        return uploader

    def visit(self, address: str) -> None:
        """Go to a page with the element."""
        self.page.goto(address)
        self._wait()

    def reload(self) -> None:
        """Load the page again, as F5 does; it may ask whether to leave."""
        self.page.once("dialog", lambda dialog: dialog.accept())
        self.page.reload()
        self._wait()

    def _wait(self) -> None:
        expect(self.page.locator(".uppy-Dashboard-AddFiles")).to_be_visible()
        self.page.evaluate(_WATCH)

    def drop(self, *files: Path) -> None:
        """Drag files from the desktop to the page, and drop them."""
        drop(self.page, ".uppy-Dashboard-inner", files)
        for file in files:
            name = self.page.locator(".uppy-Dashboard-Item-name", has_text=file.name)
            expect(name.first).to_be_visible()

    def press(self, name: str) -> None:
        """Press the button whose name begins so."""
        self.button(name).click()

    def button(self, name: str) -> Locator:
        """Return the button whose name begins so."""
        return self.page.get_by_role("button", name=re.compile(f"^{re.escape(name)}")).first

    def upload(self, *files: Path) -> None:
        """Drop files and begin to upload them."""
        self.drop(*files)
        self.press("Upload")

    @property
    def results(self) -> Locator:
        """The links of the uploaded files."""
        return self.page.get_by_role("region", name="Uploaded files").get_by_role("link")

    @property
    def problems(self) -> Locator:
        """What went wrong, file by file."""
        return self.page.get_by_role("region", name="Problems").get_by_role("listitem")

    def wait_for_results(self, count: int) -> dict[str, str]:
        """Wait until so many files have arrived, and return the addresses of their links."""
        expect(self.results).to_have_count(count, timeout=1000 * PATIENCE)
        return {
            link.inner_text(): link.evaluate("link => link.href") for link in self.results.all()
        }

    def wait_for_problem(self) -> str:
        """Wait until one file has failed, and return what the page says."""
        expect(self.problems).to_have_count(1, timeout=1000 * PATIENCE)
        return self.problems.inner_text()

    def shown(self) -> list[int]:
        """Return the percents that the page has shown, without repetitions."""
        percents: list[int] = self.page.evaluate("shown")
        return percents
