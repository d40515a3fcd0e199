# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The page in each of its states, by axe-core, in both colour schemes and in a narrow window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from ..people import UPLOADER
from .chromium import drop
from .gate import PATIENCE
from .packages import install
from .uploader import PART, Uploader

SCREENS = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "narrow": {"color_scheme": "light", "viewport": {"width": 320, "height": 640}},
}
RUN = """
async () => {
  const { violations } = await axe.run(document, { resultTypes: ['violations'] })
  return violations.map(({ id, impact, nodes }) => [impact, id, nodes.map(({ html }) => html)])
}
"""
SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(params=SCREENS.values(), ids=SCREENS.keys())
def uploader(request, sign_in, bucket_id) -> Any:
    """The page on one of the screens, with parts as small as they may be."""
    visitor = sign_in(bucket_id, *UPLOADER, **request.param)
    # The policy of the page is that of the site; axe is no part of the site.
    script = install("axe") / "node_modules/axe-core/axe.min.js"
    opened = Uploader.opened(visitor, bucket=bucket_id, part_size=PART, max_file_size=9 * PART)
    opened.page.evaluate(Path(script).read_text())
    yield opened
    assert opened.errors == []


def audit(uploader: Uploader) -> None:
    """Look for what keeps people out; what fades in or out has to be settled."""
    uploader.page.wait_for_function(
        "() => document.getAnimations().every(({ playState, effect }) =>"
        " playState !== 'running' || effect.getTiming().iterations === Infinity)"
    )
    grave = [each for each in uploader.page.evaluate(RUN) if each[0] in ("serious", "critical")]
    assert grave == []
    assert uploader.page.evaluate(SIDEWAYS) <= 0


def said(uploader: Uploader) -> Locator:
    """What a screen reader is told."""
    return uploader.page.get_by_role("status").and_(uploader.page.locator(".oarepo-s3-spoken"))


def test_every_state_can_be_used_by_everybody(uploader, gate, made):
    audit(uploader)
    long_name = "a-name-that-is-longer-than-any-narrow-window-can-show-in-one-line" * 2 + ".tar.gz"
    files = [made(3 * PART, long_name), made(2 * PART, "kůň.bin")]
    # The Dashboard shortens names.
    drop(uploader.page, ".uppy-Dashboard-inner", files)
    expect(said(uploader)).to_have_text("2 files chosen.")
    audit(uploader)

    with gate.held() as hold:
        uploader.press("Upload")
        expect(said(uploader)).to_have_text("Uploading 2 files.")
        hold.wait(1)
        audit(uploader)
        uploader.press("Pause")
        expect(said(uploader)).to_have_text("Upload paused.")
        audit(uploader)
        uploader.press("Resume")
    uploader.wait_for_results(2)
    expect(said(uploader)).to_have_text("2 files are uploaded.", timeout=1000 * PATIENCE)
    audit(uploader)


def test_a_problem_is_told_to_everybody(uploader, made):
    drop(uploader.page, ".uppy-Dashboard-inner", [made(10 * PART, "too-large.bin")])
    assert "too-large.bin exceeds maximum allowed size" in uploader.wait_for_problem()
    uploader.press("Remove: too-large.bin")
    body = {"status": 400, "code": "quota_exceeded", "message": "The bucket has 1 byte left."}
    uploader.page.route("**/multipart-uploads", lambda route: route.fulfill(status=400, json=body))
    uploader.upload(made(10, "no-room.bin"))
    assert "Remove files, or ask for a larger quota." in uploader.wait_for_problem()
    expect(said(uploader)).to_have_text(
        "1 file could not be uploaded. See the list of problems.", timeout=1000 * PATIENCE
    )
    audit(uploader)
