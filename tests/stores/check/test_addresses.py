# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Addresses where no store answers, to the server or to browsers."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest

from oarepo_s3.provisioning.findings import Level

from ...services import FaultProxy, free_port
from ..patient import checks, failures, levels, of

pytestmark = pytest.mark.ceph


def test_the_public_address_is_tried_and_hides_nothing_else(patient):
    patient.set_cors()
    with FaultProxy(urlsplit(patient.config.endpoint_url).port) as proxy:
        working = patient.check(public_endpoint_url=proxy.endpoint_url)
        assert levels(working, "presigned URL") == [Level.OK]
        assert of(working, "public address")[0].message.count(proxy.endpoint_url) == 1
        assert proxy.counters.bytes_up > 0
    report = patient.check(public_endpoint_url=f"http://127.0.0.1:{free_port()}")
    (found,) = failures(report)
    assert found.check == "presigned URL"
    assert "does not answer from here" in found.message
    assert checks(report, Level.OK) >= {"write", "read", "parts", "abort"}


def test_a_signature_that_the_public_address_breaks_is_a_failure(patient):
    """A name that the store does not see: what a proxy does that sets its own Host header."""
    port = urlsplit(patient.config.endpoint_url).port
    report = patient.check(public_endpoint_url=f"http://127.0.0.1:{port}/s3")
    (found,) = failures(report)
    assert found.check == "presigned URL"
    assert "Host header or the path" in found.message


def test_an_address_where_no_store_answers(patient):
    nobody = patient.check(endpoint_url=f"http://127.0.0.1:{free_port()}")
    (found,) = failures(nobody)
    assert (found.check, levels(nobody, "rest")) == ("address", [Level.NOTE])
    assert "does not answer" in found.message
    for wrong in ("127.0.0.1", "http://", "ftp://127.0.0.1"):
        (found,) = failures(patient.check(endpoint_url=wrong))
        assert found.check == "address"
