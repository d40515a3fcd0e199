# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The demo's page takes a file of 1 GB, and Uppy's own plugin takes it, for comparison."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from tests.browser.chromium import Chromium
from tests.browser.packages import bundle
from tests.browser.unmodified import Unmodified
from tests.browser.uploader import Uploader
from tests.browser.visitor import digest_of
from tests.conftest import required, start

from .script import Script, finish, read_until
from .test_demo import LAST_OF_GUIDE

GIGABYTE = 10**9
PIECE = 2**24

pytestmark = [pytest.mark.browser, pytest.mark.rclone]

http = urllib3.PoolManager()


@pytest.fixture
def demo(tmp_path) -> Iterator[dict[str, str]]:
    """The demo, serving: what its guide says, by name."""
    script = Script("run-demo.sh", tmp_path)
    process = script.start()
    guide = "\n".join(read_until(process, LAST_OF_GUIDE))
    yield dict(re.findall(r"^([A-Z]\w+(?: \w+)?|bucket) +(\S+)$", guide, re.MULTILINE))
    process.send_signal(signal.SIGTERM)
    status, _ = finish(process)
    assert status == 0
    assert script.left_behind() == []


@pytest.fixture
def page() -> Iterator[Any]:
    """A tab of a browser that knows nothing."""
    for browser in start(Chromium()):
        yield browser.new_context().new_page()


@pytest.fixture
def file(tmp_path) -> Path:
    """A file of 1 GB that no store can guess."""
    made = tmp_path / "large.bin"
    with made.open("wb") as output:
        for offset in range(0, GIGABYTE, PIECE):
            output.write(os.urandom(min(PIECE, GIGABYTE - offset)))
    return made


@pytest.fixture(scope="module")
def uppy(tmp_path_factory) -> Path:
    """Uppy 6 with its own S3 plugin."""
    with required():
        return bundle("uppy6", tmp_path_factory.mktemp("uppy"))


def test_a_gigabyte_arrives_from_the_page_and_is_timed_beside_uppy(
    demo, page, file, uppy, record_property
):
    expected = digest_of(file)
    uploader = Uploader(page)
    uploader.visit(demo["Page"])
    uploader.drop(file)
    begun = time.monotonic()
    uploader.press("Upload")
    ours = uploader.wait_for_results(1)[file.name]
    seconds = time.monotonic() - begun

    api = f"{demo['REST API']}/multipart-uploads"
    token = http.request("POST", f"{api}/tokens", json={"bucket": demo["bucket"]}).json()
    other = Unmodified(page, f"{api}/openapi.json", uppy, token["companion_url"])
    outcome = other.upload(file)

    assert outcome["failed"] == []
    assert digest(ours) == expected
    assert digest(outcome["uploaded"][0]) == expected
    assert uploader.errors == []
    ratio = outcome["seconds"] / seconds
    record_property(
        "measured",
        f"1 GB from the demo's page in {seconds:.1f} s, by Uppy 6 in {outcome['seconds']:.1f} s:"
        f" {ratio:.2f} times as long",
    )


def digest(address: str) -> str:
    """Download a file and return its SHA-256."""
    found = hashlib.sha256()
    answer = http.request("GET", address, preload_content=False)
    assert answer.status == 200
    for piece in answer.stream(PIECE):
        found.update(piece)
    return found.hexdigest()
