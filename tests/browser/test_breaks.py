# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads that are broken off go on, and nothing is sent twice for nothing."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from playwright.sync_api import expect

from .chromium import crash, wait_until
from .uploader import PART, Uploader
from .visitor import digest_of

pytestmark = pytest.mark.browser

PARTS = 8
EACH_ONCE = dict.fromkeys(range(1, PARTS + 1), 1)


@pytest.fixture
def file(made):
    """A file of some parts."""
    return made(PARTS * PART)


def arrived(uploader, visitor, file) -> bool:
    """Wait for the file, and say whether it came as it is, by a single upload."""
    links = uploader.wait_for_results(1)
    [upload] = visitor.uploads()
    assert upload["state"] == "completed"
    return visitor.digest(links[file.name]) == digest_of(file)


def test_after_a_reload_the_same_file_goes_on_and_no_part_is_sent_again(
    uploader, visitor, file, gate
):
    with gate.held(after=3) as hold:
        uploader.upload(file)
        hold.wait(2)
        uploader.reload()
    gate.settle()
    before = gate.sent()

    uploader.upload(file)

    assert arrived(uploader, visitor, file)
    assert len(before) >= 5
    assert gate.sent() == EACH_ONCE


def test_after_a_crash_another_tab_goes_on_and_no_part_is_sent_again(
    uploader, visitor, file, gate, bucket_id
):
    with gate.held(after=3) as hold:
        uploader.upload(file)
        hold.wait(2)
        crash(uploader.page)
    another = Uploader.opened(visitor, bucket=bucket_id, part_size=PART)

    another.upload(file)

    assert arrived(another, visitor, file)
    assert gate.sent() == EACH_ONCE


def test_a_page_that_takes_the_uploader_away_gives_nothing_up(uploader, visitor, file, gate):
    with gate.held(after=3) as hold:
        uploader.upload(file)
        hold.wait(2)
        uploader.page.evaluate(
            """() => {
              const element = document.querySelector('oarepo-s3-uploader')
              element.remove()
              setTimeout(() => document.querySelector('main').append(element))
            }"""
        )
        expect(uploader.page.locator(".uppy-Dashboard-AddFiles")).to_be_visible()
    gate.settle()

    uploader.upload(file)

    assert arrived(uploader, visitor, file)
    assert gate.sent() == EACH_ONCE


def test_another_file_of_the_same_name_begins_anew(uploader, visitor, file, gate):
    with gate.held(after=3) as hold:
        uploader.upload(file)
        hold.wait(2)
        uploader.reload()
    with file.open("r+b") as content:
        content.write(b"changed")

    uploader.upload(file)

    links = uploader.wait_for_results(1)
    assert visitor.digest(links[file.name]) == digest_of(file)
    assert gate.sent()[PARTS] == 1
    assert gate.sent()[1] == 2


def test_without_a_network_it_waits_and_goes_on_by_itself(uploader, visitor, file, gate):
    with gate.held(after=3) as hold:
        uploader.upload(file)
        hold.wait(2)
        visitor.context.set_offline(True)
        expect(uploader.page.get_by_text("The connection is lost").first).to_be_visible()
    sent = len(gate.requests("PUT"))
    visitor.context.set_offline(False)

    assert arrived(uploader, visitor, file)
    assert sent < PARTS


def test_connections_that_break_in_a_part_cost_that_part_alone(uploader, visitor, file, gate):
    gate.network.faults(reset_up=PART // 2, times=3)

    uploader.upload(file)

    assert arrived(uploader, visitor, file)
    assert gate.network.counters.cuts == 3
    assert gate.sent() == EACH_ONCE


def test_a_store_that_is_busy_is_asked_again(uploader, visitor, file, gate):
    gate.answer_parts(lambda own: replace(own, status=503, body=b""), times=3)

    uploader.upload(file)

    assert arrived(uploader, visitor, file)
    assert gate.statuses() == {503: 3, 200: PARTS}


def test_a_url_that_expired_is_signed_again(uploader, visitor, file, gate, app, monkeypatch):
    life = 3
    with monkeypatch.context() as short:
        short.setitem(app.config, "OAREPO_S3_PART_URL_LIFETIME", life)
        with gate.held(after=3) as hold:
            uploader.upload(file)
            hold.wait(2)
            time.sleep(life + 1)  # all URLs that the page has are older then
            short.undo()

    assert arrived(uploader, visitor, file)
    assert len({each.query["X-Amz-Date"] for each in gate.requests("PUT")}) > 1
    assert gate.sent() == EACH_ONCE


def test_a_pause_stops_all_and_nothing_is_sent_again_afterwards(uploader, visitor, file, gate):
    with gate.held(after=3) as hold:
        uploader.upload(file)
        hold.wait(2)
        uploader.press("Pause")
        expect(uploader.button("Resume")).to_be_visible()
    gate.settle()
    paused = gate.sent()
    uploader.page.wait_for_timeout(1000)
    assert gate.sent() == paused
    assert len(paused) < PARTS

    uploader.press("Resume")

    assert arrived(uploader, visitor, file)
    assert gate.sent() == EACH_ONCE


def test_a_cancelled_upload_leaves_nothing_at_the_store(uploader, visitor, file, gate, store):
    before = store.open_uploads()
    with gate.held(after=3) as hold:
        uploader.upload(file)
        hold.wait(2)
        uploader.press("Cancel")
        wait_until(lambda: visitor.uploads()[0]["state"] == "aborted", uploader.page)

    assert store.open_uploads() == before
    expect(uploader.page.get_by_text("data.bin")).to_have_count(0)


def test_progress_never_goes_back(uploader, visitor, file, gate):
    # Slow enough for the page to show each step.
    gate.network.faults(reset_up=PART - 1000, times=3, rate=2 * PART)
    with gate.held(after=5) as hold:
        uploader.upload(file)
        hold.wait(2)
        uploader.press("Pause")
        uploader.press("Resume")

    assert arrived(uploader, visitor, file)
    shown = uploader.shown()
    assert shown == sorted(shown)
    assert shown[-1] == 100
    assert len(shown) >= 5
