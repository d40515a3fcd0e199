# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Whatever stops a check, at whichever call, nothing of it stays at the store, or it is named."""

from __future__ import annotations

import logging
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.client import BaseClient
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from oarepo_s3.provisioning.findings import Level

from ..patient import Patient, checks, failures, levels, of
from .conftest import examined

MAKERS = ("PutObject", "CreateMultipartUpload", "CompleteMultipartUpload")
"""Calls that make something at the store."""

CALLS = [
    *(("CreateMultipartUpload", number) for number in range(1, 13)),
    *(("CompleteMultipartUpload", number) for number in range(1, 7)),
    ("PutObject", 1),
    ("UploadPart", 1),
    ("ListParts", 1),
    ("ListMultipartUploads", 1),
    ("ListObjectsV2", 1),
    ("GetObject", 1),
    ("DeleteObject", 1),
    ("DeleteObject", 2),
    ("AbortMultipartUpload", 2),
]
"""Calls of a check at rclone's store, by kind and number; all of those that make something."""

pytestmark = pytest.mark.rclone


@pytest.fixture
def patient(rclone_store) -> Iterator[Patient]:
    """A bucket at rclone's store."""
    with examined(rclone_store) as made:
        yield made


@pytest.fixture
def breaking(monkeypatch) -> Callable[..., Counter[str]]:
    """Let a call do its work, and then let its answer be lost; return the calls as they come."""
    real = BaseClient._make_api_call

    def arm(name: str, number: int, then: Callable[[], None], *, for_good: bool = False) -> Any:
        seen: Counter[str] = Counter()

        def call(client: Any, operation: str, parameters: Any) -> Any:
            seen[operation] += 1
            reached = seen[name] >= number if for_good else seen[name] == number
            if for_good and reached and (operation, seen[name]) != (name, number):
                then()
            answer = real(client, operation, parameters)
            if reached and operation == name:
                then()
            return answer

        monkeypatch.setattr(BaseClient, "_make_api_call", call)
        return seen

    yield arm
    monkeypatch.undo()


def lose() -> None:
    raise ConnectionClosedError(endpoint_url="http://store")


def interrupt() -> None:
    """What Ctrl-C does."""
    signal.raise_signal(signal.SIGINT)


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Listen to it, also where a shell has started the tests in the background: that ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(("name", "number"), CALLS)
def test_nothing_stays_when_an_answer_is_lost(patient, breaking, monkeypatch, name, number):
    breaking(name, number, lose)
    report = patient.check()
    monkeypatch.undo()
    (found,) = failures(report)
    assert found.check == "address"
    assert (levels(report, "rest"), report.profile, report.left_behind) == ([Level.NOTE], None, [])
    assert patient.content() == []


def test_the_calls_above_are_all_that_make_something(patient, breaking, monkeypatch):
    seen = breaking("none", 1, lose)
    patient.check()
    monkeypatch.undo()
    for name in MAKERS:
        assert (name, seen[name]) in CALLS
        assert (name, seen[name] + 1) not in CALLS


@pytest.mark.parametrize("name", ["PutObject", "CreateMultipartUpload", "CompleteMultipartUpload"])
def test_nothing_stays_when_the_check_is_interrupted(patient, breaking, monkeypatch, ctrl_c, name):
    breaking(name, 1, interrupt)
    with pytest.raises(KeyboardInterrupt):
        patient.check()
    monkeypatch.undo()
    assert patient.content() == []


@pytest.mark.parametrize("name", ["PutObject", "CreateMultipartUpload"])
def test_what_a_store_keeps_that_goes_away_is_named(patient, breaking, monkeypatch, caplog, name):
    breaking(name, 1, lose, for_good=True)
    with caplog.at_level(logging.WARNING, "oarepo_s3"):
        report = patient.check()
    monkeypatch.undo()
    (key,) = set(patient.content())
    assert key.startswith("data/check-")
    assert any(key in left for left in report.left_behind)
    (found,) = of(report, "left behind")
    assert found.level is Level.WARNING
    assert key in found.message
    assert f"s3://{patient.bucket}/{key.rpartition('/')[0]}/" in found.remedy
    (record,) = [r for r in caplog.records if getattr(r, "action", "") == "check_left"]
    assert key in record.getMessage()
    patient.empty()


def test_no_error_of_the_sdk_reaches_the_user(patient, breaking, monkeypatch):
    def time_out() -> None:
        raise ReadTimeoutError(endpoint_url="http://store/?X-Amz-Signature=secret")

    breaking("GetObject", 1, time_out)
    report = patient.check()
    monkeypatch.undo()
    assert "X-Amz" not in str(report)
    assert "address" in checks(report, Level.FAILURE)
