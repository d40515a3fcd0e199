# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Every answer that a person of these tests gets is compared with the OpenAPI document."""

from __future__ import annotations

from typing import Any

import pytest

from ..people import Person, new_person
from .contract import Contract
from .uppy import Uppy, issue


@pytest.fixture(scope="module")
def document(app) -> dict[str, Any]:
    """The document as it is served."""
    return app.test_client().get("/multipart-uploads/openapi.json").get_json()


@pytest.fixture
def contract(document) -> Contract:
    """The document as what answers are compared with."""
    return Contract(document)


@pytest.fixture
def watched(contract) -> Any:
    """Let a person's answers be compared with the document."""

    def watch(person: Person | Uppy) -> Person | Uppy:
        send = person.client.open

        def send_and_check(*args: Any, **kwargs: Any) -> Any:
            answer = send(*args, **kwargs)
            if answer.request.path.startswith("/multipart-uploads"):
                contract.check(answer)
            return answer

        person.client.open = send_and_check
        return person

    return watch


@pytest.fixture
def person(app, watched) -> Any:
    """Make users of the REST API: call it for a new one."""
    return lambda: watched(new_person(app))


@pytest.fixture
def page(app, watched) -> Any:
    """Make pages with Uppy: call it with a token's ``companion_url``."""

    def make(companion_url: str) -> Uppy:
        return watched(Uppy(app.test_client(), companion_url))

    return make


@pytest.fixture
def uppy(page, uploader, bucket) -> Uppy:
    """The page of the uploader."""
    return page(issue(uploader, bucket)["companion_url"])
