# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uppy's own S3 plugin, as it is published, uploads by the routes of Companion."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from invenio_db import db

from oarepo_s3.tasks import recover_interrupted_multipart_uploads

from ..conftest import REAL, required
from .chromium import wait_until
from .packages import bundle
from .unmodified import Unmodified
from .uploader import PART
from .visitor import digest_of

pytestmark = pytest.mark.browser

VERSIONS = ("uppy5", "uppy6")


@pytest.fixture(scope="module", params=VERSIONS)
def script(request, tmp_path_factory) -> Path:
    """One of the versions, with what it needs."""
    with required():
        return bundle(request.param, tmp_path_factory.mktemp("scripts"))


@pytest.fixture
def token(visitor, bucket_id) -> dict[str, Any]:
    """An upload token for the bucket."""
    return visitor.post("/multipart-uploads/tokens", {"bucket": bucket_id})


@pytest.fixture
def open_page(script, visitor, token) -> Callable[..., Unmodified]:
    """Open a page of the site: call it with options of the plugin."""

    def opened(**options: Any) -> Unmodified:
        page, document = visitor.context.new_page(), f"{visitor.api}/multipart-uploads/openapi.json"
        return Unmodified(page, document, script, token["companion_url"], **options)

    return opened


def test_a_file_in_parts(open_page, visitor, made, gate):
    file = made(2 * PART + 7, "žluťoučký kůň + 1.bin")

    outcome = open_page(shouldUseMultipart=True).upload(file)

    assert outcome["failed"] == []
    assert gate.sent() == {1: 1, 2: 1, 3: 1}
    [upload] = visitor.uploads()
    assert (upload["state"], upload["key"]) == ("completed", file.name)
    [address] = outcome["uploaded"]
    assert visitor.digest(address) == digest_of(file)


def test_a_cancelled_upload_is_aborted(open_page, visitor, made, gate):
    uppy = open_page(shouldUseMultipart=True)
    with gate.held(after=1) as hold:
        uppy.begin(made(4 * PART))
        hold.wait(1)
        uppy.page.evaluate("uppy.cancelAll()")
        wait_until(lambda: visitor.uploads()[0]["state"] == "aborted", uppy.page)


def test_a_revoked_token_opens_nothing(open_page, visitor, made, token):
    visitor.delete(f"/multipart-uploads/tokens/{token['id']}")

    outcome = open_page(shouldUseMultipart=True).upload(made(PART))

    [said] = outcome["failed"]
    assert "revoked" in said
    assert visitor.uploads() == []


@pytest.mark.parametrize("place", [REAL], indirect=True)
@pytest.mark.parametrize("script", ["uppy6"], indirect=True)
@pytest.mark.parametrize("size", [0, 1000])
def test_a_small_file_goes_in_one_form(place, open_page, visitor, made, gate, size):
    """As Uppy does it without a wish, and a task completes it; rclone takes no forms."""
    file = made(size, "small.txt")

    outcome = open_page().upload(file)

    assert outcome["failed"] == []
    assert [each.status for each in gate.requests("POST")] == [201]
    recover_interrupted_multipart_uploads()
    db.session.remove()
    [upload] = visitor.uploads()
    assert (upload["state"], upload["size"]) == ("completed", size)
