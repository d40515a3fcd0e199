# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Requests that schemathesis makes of the OpenAPI document, right ones and wrong ones.

They are sent as somebody who may upload, to a real bucket and about real uploads. The seed is
fixed (``derandomize``); ids and times of uploads still differ from run to run.
"""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi import checks

from ..conftest import REAL
from ..people import Person, send_parts
from .uppy import issue

Answer = tuple[str, int]
"""An operation of the document, and the status it was answered with."""

BOUNDED = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.filter_too_much],
}
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
    checks.negative_data_rejection,
]
ALWAYS_POSSIBLE = {
    "listUploads",
    "beginUpload",
    "getUpload",
    "listParts",
    "abortUpload",
    "companionListParts",
    "companionAbort",
}
"""What is right by the document is accepted here; elsewhere it depends on the upload."""

REACHED = {
    ("listUploads", 200): 10,
    ("listUploads", 400): 10,
    ("beginUpload", 201): 20,
    ("beginUpload", 400): 20,
    ("getUpload", 200): 10,
    ("getUpload", 404): 5,
    ("abortUpload", 204): 10,
    ("abortUpload", 404): 5,
    ("getPartUrls", 200): 2,
    ("getPartUrls", 400): 10,
    ("listParts", 200): 10,
    ("listParts", 400): 5,
    ("completeUpload", 200): 3,
    ("completeUpload", 400): 10,
    ("issueToken", 201): 3,
    ("issueToken", 400): 10,
    ("revokeToken", 404): 5,
    ("companionCreate", 200): 5,
    ("companionCreate", 400): 10,
    ("companionListParts", 200): 5,
    ("companionListParts", 401): 2,
    ("companionSignPart", 200): 3,
    ("companionSignPart", 400): 2,
    ("companionSignParts", 200): 2,
    ("companionSignParts", 400): 5,
    ("companionComplete", 200): 3,
    ("companionComplete", 400): 2,
    ("companionAbort", 200): 5,
}
"""How often a status has to be seen, at least: what never succeeds tests nothing."""

FOLLOWED = {
    ("beginUpload", 201): 5,
    ("completeUpload", 200): 1,
    ("listParts", 200): 1,
    ("abortUpload", 204): 1,
}
"""The same for calls that follow each other."""

SEEDS = range(6)
"""One for each round of calls that follow each other; the first mostly does.

What follows what is a matter of luck, even with a seed: Hypothesis also takes values from those
modules of this package that are imported by then, and with other tests these are others. So there
are more rounds until each call has succeeded.
"""


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph: rclone's server ends the connection when ``after`` is no part."""
    return request.param


class World:
    """An uploader with a bucket; makes requests that are right by the document right for these."""

    def __init__(self, uploader: Person, bucket: Any) -> None:
        self.uploader, self.bucket = uploader, bucket
        self.token = issue(uploader, bucket)["token"]
        self.cookies = {"session": uploader.client.get_cookie("session").value}
        self.answers: Counter[Answer] = Counter()

    def adapt(self, case: Any) -> None:
        """Put a real bucket and a real upload where any was named."""
        parts = []
        if _is_uuid(case.path_parameters.get("upload_id")):
            case.path_parameters["upload_id"], parts = self._begin(_operation(case))
        # Any text is a key and may be a token by the document; these are the real ones.
        if "token" in case.path_parameters and _is_right(case, ParameterLocation.PATH):
            case.path_parameters["token"] = self.token
        if "key" in case.query and _is_right(case, ParameterLocation.QUERY):
            case.query["key"] = "a"
        if not isinstance(case.body, dict):
            return
        if _is_uuid(case.body.get("bucket")):
            case.body["bucket"] = str(self.bucket.id)
        if case.meta.generation.mode == GenerationMode.POSITIVE:
            # To JSON schema 3.0 is an integer, too. Those who write JSON do not write it so.
            for name in ("size", "part_size"):
                if isinstance(case.body.get(name), float):
                    case.body[name] = int(case.body[name])
            if len(case.body.get("parts") or ()) == 1:
                case.body["parts"] = parts

    def send(self, case: Any) -> Any:
        """Send a request, count and check its answer."""
        answer = case.call(cookies=self.cookies)
        name = _operation(case)
        self.answers[name, answer.status_code] += 1
        possible = [checks.positive_data_acceptance] if name in ALWAYS_POSSIBLE else []
        case.validate_response(answer, checks=[*CHECKS, *possible])
        return answer

    def _begin(self, operation: str) -> tuple[str, list[dict[str, Any]]]:
        signs = ("getPartUrls", "companionSignPart", "companionSignParts")
        size = 50_000 * 2**20 if operation in signs else 3
        upload = self.uploader.begin(self.bucket, "a", size, part_size=5 * 2**20)
        sent = operation in ("listParts", "completeUpload", "companionComplete")
        return upload["id"], send_parts(upload, b"abc") if sent else []


def _operation(case: Any) -> str:
    return case.operation.definition.raw["operationId"]


def _is_right(case: Any, where: ParameterLocation) -> bool:
    """Whether this piece of a request is right by the document, whatever else is wrong."""
    piece = case.meta.components.get(where)
    return piece is None or piece.mode == GenerationMode.POSITIVE


def _is_uuid(value: Any) -> bool:
    try:
        return str(uuid.UUID(value)) == value
    except (ValueError, AttributeError, TypeError):
        return False


@pytest.fixture
def world(uploader, bucket) -> World:
    """Where requests are sent."""
    return World(uploader, bucket)


@pytest.fixture
def reached(world) -> Iterator[None]:
    """See afterwards what the requests reached."""
    yield
    for (name, status), times in sorted(world.answers.items()):
        print(f"{name} {status}: {times} times")
    assert _missed(REACHED, world.answers) == {}


@pytest.fixture(scope="module")
def api(app) -> Any:
    """The document as it is served; the security schemes are not made up, but used."""
    config = SchemathesisConfig.from_dict({"generation": {"with-security-parameters": False}})
    return schemathesis.openapi.from_wsgi("/multipart-uploads/openapi.json", app, config=config)


@schemathesis.pytest.from_fixture("api").parametrize()
@settings(max_examples=30, **BOUNDED)
def test_requests_of_the_document_are_answered_as_it_says(case, world, reached):
    world.adapt(case)
    world.send(case)


def test_calls_that_follow_each_other_are_answered_as_the_document_says(api, world):
    """By the links of the document: begin, then whatever can be done with the upload."""

    class Machine(api.as_state_machine()):
        def before_call(self, case):
            if not case.path_parameters:
                world.adapt(case)

        def call(self, case, **kwargs):
            answer = world.send(case)
            begun = answer.json() if answer.status_code == 201 else {}
            if "urls" in begun and begun["size"] < 2**20:
                send_parts(begun, bytes(begun["size"]))
            return answer

        def validate_response(self, *args, **kwargs):
            """Done in ``send``."""

    for number in SEEDS:
        run_state_machine_as_test(
            seed(number)(Machine),
            settings=settings(max_examples=10, stateful_step_count=8, **BOUNDED),
        )
        print(f"seed {number}: {world.answers}")
        if not _missed(FOLLOWED, world.answers):
            break
    assert _missed(FOLLOWED, world.answers) == {}


def _missed(wanted: Mapping[Answer, int], seen: Mapping[Answer, int]) -> dict[Answer, int]:
    """Return how often was seen what was to be seen more often."""
    return {answer: seen[answer] for answer, times in wanted.items() if seen[answer] < times}
