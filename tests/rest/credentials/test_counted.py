# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a client wishes and does not get is no error of the store: else it could alarm somebody."""

from __future__ import annotations

from typing import Any

import pytest

from ...keys import ROLE
from ...people import Person
from .wishes import KEYS, NAME

TOKEN = "a token of Prometheus"


@pytest.fixture(scope="module")
def app_config(app_config, place) -> dict[str, Any]:
    """Calls are counted."""
    app_config["OAREPO_S3_METRICS_TOKEN"] = TOKEN
    return app_config


@pytest.fixture
def counted(app, watched) -> Any:
    """Return how often AssumeRole was called, and with what errors."""
    prometheus = watched(Person(app))

    def read() -> dict[str, float]:
        answer = prometheus.get(
            "/multipart-uploads/metrics", headers={"Authorization": f"Bearer {TOKEN}"}
        )
        samples = [line.rsplit(" ", 1) for line in answer.text.splitlines() if "AssumeRole" in line]
        wanted = ("oarepo_s3_store_call_errors_total", "oarepo_s3_store_call_seconds_count")
        return {name: float(value) for name, value in samples if name.startswith(wanted)}

    return read


def test_a_wish_that_the_role_does_not_allow_is_a_call_and_no_error(
    app, monkeypatch, uploader, scope, counted
):
    before = counted()
    calls = 'oarepo_s3_store_call_seconds_count{call="AssumeRole"}'
    # More than the role allows, which is an hour at Ceph.
    wish = {"scope": NAME, "lifetime": 43_200}
    for _ in range(2):
        assert uploader.post(KEYS, json=wish).status_code == 400
    assert counted() == {**before, calls: before.get(calls, 0) + 2}

    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", f"{ROLE}-that-is-not-there")
    for lifetime in ({}, {"lifetime": 900}):
        assert uploader.post(KEYS, json={"scope": NAME, **lifetime}).status_code == 502
    errors = 'oarepo_s3_store_call_errors_total{call="AssumeRole",code="store_misconfigured"}'
    assert counted()[errors] == before.get(errors, 0) + 2
