# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Files of a draft: by the page, and by Uppy as it is published."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from invenio_db import db

from ..conftest import required
from ..records import stack
from .chromium import wait_until
from .packages import bundle
from .unmodified import Unmodified
from .uploader import PART, Uploader
from .visitor import Visitor, digest_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def _drafts(app) -> None:
    """The service and the routes of a kind of records."""
    stack.mount(app)


@pytest.fixture
def draft(_drafts, visitor, location) -> str:
    """The id of a draft of the visitor."""
    made: str = stack.new_record(editors=[visitor])["id"]
    db.session.remove()
    return made


@pytest.fixture(scope="module", params=["uppy5", "uppy6"])
def script(request, tmp_path_factory) -> Path:
    """A version of Uppy."""
    with required():
        return bundle(request.param, tmp_path_factory.mktemp("scripts"))


def files_of(visitor: Visitor, draft: str) -> dict[str, Any]:
    """Return the entries of a draft's files, by their keys."""
    entries = visitor.get(f"/test-records/{draft}/files")["entries"]
    return {entry["key"]: entry for entry in entries}


def test_the_page_fills_a_draft(visitor, draft, made, gate):
    files = [made(2 * PART + 7, "large.bin"), made(0, "empty"), made(9, "žluť + (1).txt")]
    # Transfer "M" lets the client say how the file is cut.
    page = Uploader.opened(visitor, draft_files=f"/api/test-records/{draft}/files", part_size=PART)

    page.upload(*files)

    links = page.wait_for_results(len(files))
    assert {name: visitor.digest(link) for name, link in links.items()} == {
        file.name: digest_of(file) for file in files
    }
    found = files_of(visitor, draft)
    assert {key: (each["status"], each["size"]) for key, each in found.items()} == {
        file.name: ("completed", file.stat().st_size) for file in files
    }
    assert page.errors == []


def test_a_cancelled_file_is_no_file_of_the_draft(visitor, draft, made, gate):
    page = Uploader.opened(visitor, draft_files=f"/api/test-records/{draft}/files", part_size=PART)
    with gate.held(after=1) as hold:
        page.upload(made(4 * PART))
        hold.wait(1)
        page.press("Cancel")
        wait_until(lambda: files_of(visitor, draft) == {}, page.page)


def test_uppy_as_it_is_fills_a_draft(script, visitor, draft, made):
    file = made(PART + 1, "žluťoučký kůň + 1.bin")
    place = {"draft": {"service": stack.SERVICE, "id": draft}}
    token = visitor.post("/multipart-uploads/tokens", place)
    page, document = visitor.context.new_page(), f"{visitor.api}/multipart-uploads/openapi.json"
    uppy = Unmodified(page, document, script, token["companion_url"], shouldUseMultipart=True)

    outcome = uppy.upload(file)

    assert outcome["failed"] == []
    assert files_of(visitor, draft)[file.name]["status"] == "completed"
    assert visitor.digest(outcome["uploaded"][0]) == digest_of(file)
