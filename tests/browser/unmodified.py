# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uppy with its own S3 plugin, as it is published, on a page without this package's script."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page

_BEGIN = """
([maker, endpoint, options]) => {
  globalThis.uppy = globalThis[maker](endpoint, options)
  document.body.innerHTML = '<input type="file">'
  document.querySelector('input').addEventListener('change', ({ target }) => {
    for (const data of target.files) uppy.addFile({ name: data.name, type: data.type, data })
  })
}
"""

_UPLOAD = """
async () => {
  const begun = performance.now()
  const { successful, failed } = await uppy.upload()
  return {
    seconds: (performance.now() - begun) / 1000,
    uploaded: successful.map((file) => file.uploadURL),
    failed: failed.map((file) => file.error),
  }
}
"""


class Unmodified:
    """A page with a version of Uppy.

    :param address: of any document of the site, which need not be a page for people: its origin
        counts, and what is in it goes.
    :param script: the bundle of ``packages``.
    :param endpoint: the ``companion_url`` of an upload token, or the address of a store's bucket.
    :param maker: the function of the bundle that makes an Uppy.
    :param options: of the plugin.
    """

    def __init__(
        self,
        page: Page,
        address: str,
        script: Path,
        endpoint: str,
        maker: str = "makeUppy",
        **options: Any,
    ) -> None:
        self.page = page
        page.goto(address)
        page.add_script_tag(path=script)
        page.evaluate(_BEGIN, [maker, endpoint, options])

    def upload(self, *files: Path) -> dict[str, Any]:
        """Choose files, upload them, and return what became of them, and in how many seconds."""
        self.page.locator("input").set_input_files(files)
        outcome: dict[str, Any] = self.page.evaluate(_UPLOAD)
        return outcome

    def begin(self, *files: Path) -> None:
        """Choose files and begin to upload them."""
        self.page.locator("input").set_input_files(files)
        # A promise would be waited for.
        self.page.evaluate("() => { uppy.upload() }")
