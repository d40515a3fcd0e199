# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Parts side by side are faster than one after another, where a connection is slow."""

from __future__ import annotations

import pytest

from ..conftest import REAL, required
from .packages import bundle
from .unmodified import Unmodified
from .uploader import MIB, PART, Uploader

pytestmark = pytest.mark.browser

RATE = 4 * MIB
"""Bytes per second of each connection: of a long way, or of bad Wi-Fi."""

LEAST = 1.5
"""How many times as long Uppy's own plugin has to take: of less nobody would notice."""


@pytest.fixture(scope="module")
def uppy(tmp_path_factory):
    """Uppy 6 with its own S3 plugin, which sends the parts of a file one after another."""
    with required():
        return bundle("uppy6", tmp_path_factory.mktemp("uppy"))


@pytest.mark.parametrize("place", [REAL], indirect=True)
def test_a_file_arrives_earlier_than_by_uppy(
    place, visitor, bucket_id, made, gate, uppy, record_property
):
    file = made(16 * PART)
    token = visitor.post("/multipart-uploads/tokens", {"bucket": bucket_id})
    uploader = Uploader.opened(visitor, bucket=bucket_id, part_size=PART)
    gate.network.faults(rate=RATE)

    uploader.drop(file)
    begun = uploader.page.evaluate("performance.now()")
    uploader.press("Upload")
    uploader.wait_for_results(1)
    ours = (uploader.page.evaluate("performance.now()") - begun) / 1000
    address = f"{visitor.api}/multipart-uploads/openapi.json"
    other = Unmodified(
        visitor.context.new_page(), address, uppy, token["companion_url"], shouldUseMultipart=True
    ).upload(file)

    assert other["failed"] == []
    ratio = other["seconds"] / ours
    record_property(
        "measured",
        f"{file.stat().st_size / MIB:.0f} MiB by connections of {RATE / MIB:.0f} MiB/s each:"
        f" the page {ours:.1f} s, Uppy 6 {other['seconds']:.1f} s, {ratio:.1f} times as long",
    )
    assert ratio > LEAST
