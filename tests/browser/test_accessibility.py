# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The page in each of its states: no serious finding of axe, and a picture for the documentation.

The pictures are written by

    OAREPO_S3_PICTURES=docs/_static ./run-tests.sh tests/browser/test_accessibility.py -k local
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from ..people import UPLOADER
from .gate import PATIENCE
from .test_refusals import set_quota
from .uploader import MIB, PART, Uploader

pytestmark = pytest.mark.browser

WIDE = {"width": 900, "height": 760}
NARROW = {"width": 320, "height": 760}

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": WIDE, "color_scheme": "light"},
    "dark": {"viewport": WIDE, "color_scheme": "dark"},
    "narrow": {"viewport": NARROW, "color_scheme": "light"},
}

PICTURES = os.environ.get("OAREPO_S3_PICTURES")
"""A folder to write pictures to."""

MOST_BYTES = 100_000
"""Of a picture, for pages that load fast."""

SERIOUS = {"serious", "critical"}

MOST_STEPS = 40
"""Times that somebody presses the tab key until they give up."""

# Text that is half faded in has no contrast yet. Not all of Uppy heeds the wish for no motion.
_STAND_STILL = """
() => Promise.allSettled(
  document.getAnimations()
    .filter(({ effect }) => effect.getComputedTiming().endTime < Infinity)
    .map(({ finished }) => finished),
)
"""

# Its fading in and out may begin at any time; what it says stands elsewhere, too.
_ALL_SAID = "() => !document.querySelector('.uppy-Informer [role=alert]')"

_SIDEWAYS = "() => document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(params=LOOKS)
def look(request) -> str:
    """How the page is seen."""
    return request.param


@pytest.fixture
def seen(look, sign_in, bucket_id) -> Iterator[Uploader]:
    """The page, seen so."""
    # What moves would be met at another place each time.
    visitor = sign_in(bucket_id, *UPLOADER, reduced_motion="reduce", **LOOKS[look])
    opened = Uploader.opened(visitor, bucket=bucket_id, part_size=PART)
    yield opened
    assert opened.errors == []


@pytest.fixture
def examine(seen, look, axe) -> Callable[[str], None]:
    """Examine the page in a state: call it with the state's name."""

    def examined(state: str) -> None:
        seen.page.wait_for_function(_ALL_SAID)
        seen.page.evaluate(_STAND_STILL)
        if PICTURES:
            target = Path(PICTURES, f"uploader-{state}-{look}.png")
            assert len(seen.page.locator("main").screenshot(path=target)) < MOST_BYTES
        seen.page.evaluate(axe)
        found = seen.page.evaluate("async () => (await axe.run(document)).violations")
        serious = [each for each in found if each["impact"] in SERIOUS]
        assert serious == [], [(each["id"], each["help"], nodes(each)) for each in serious]
        assert seen.page.evaluate(_SIDEWAYS) == 0

    return examined


def nodes(finding: dict[str, Any]) -> list[str]:
    """Return what a finding is about."""
    return [node["html"] for node in finding["nodes"]]


def test_nothing_chosen_yet(seen, examine):
    examine("empty")


def test_under_way_and_paused(seen, examine, made, gate):
    # Slow enough to be looked at.
    gate.network.faults(rate=MIB)
    seen.upload(made(8 * PART, "measurement-2026.h5"), made(1000, "readme.txt"))
    seen.wait_for_results(1)
    expect(seen.page.locator(".oarepo-s3-progress")).to_contain_text(
        "left", timeout=1000 * PATIENCE
    )
    examine("under-way")
    seen.press("Pause")
    expect(seen.page.locator(".oarepo-s3-progress")).to_contain_text("paused")
    examine("paused")
    gate.network.reset()
    seen.press("Resume")
    seen.wait_for_results(2)


def test_without_a_network(seen, examine, made, gate):
    with gate.held(after=1) as hold:
        seen.upload(made(4 * PART, "measurement-2026.h5"))
        hold.wait(1)
        seen.page.context.set_offline(True)
        expect(seen.page.get_by_text("The connection is lost").first).to_be_visible()
        examine("offline")
        seen.page.context.set_offline(False)
    seen.wait_for_results(1)


def test_no_room(seen, examine, made, bucket_id):
    set_quota(bucket_id, PART)
    seen.upload(made(PART + 1, "measurement-2026.h5"))
    seen.wait_for_problem()
    examine("quota")


def test_all_arrived(seen, examine, made):
    seen.upload(made(1000, "readme.txt"), made(2 * PART, "measurement-2026.h5"))
    seen.wait_for_results(2)
    examine("finished")


def test_everything_can_be_done_with_the_keyboard(uploader, visitor, made):
    """A file is chosen, sent, and its link is reached, without a mouse."""
    file = made(1000, "readme.txt")

    with uploader.page.expect_file_chooser() as chooser:
        press_enter_on(uploader, "button", "browse files")
    chooser.value.set_files(file)
    press_enter_on(uploader, "button", "Upload 1 file")
    uploader.wait_for_results(1)

    with uploader.page.expect_download() as download:
        press_enter_on(uploader, "link", "readme.txt")
    assert Path(download.value.path()).read_bytes() == file.read_bytes()


def press_enter_on(uploader: Uploader, role: str, name: str) -> None:
    """Go to something by the tab key alone, and press Enter."""
    goal = uploader.page.get_by_role(role, name=name).last
    expect(goal).to_be_visible()
    for _ in range(MOST_STEPS):
        uploader.page.keyboard.press("Tab")
        if goal.evaluate("element => element === document.activeElement"):
            uploader.page.keyboard.press("Enter")
            return
    pytest.fail(f"{MOST_STEPS} times the tab key, and never at {name!r}")
