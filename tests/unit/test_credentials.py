# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Keys to a store: they never show their secret, and URLs do not outlive them."""

from __future__ import annotations

import logging
import pprint
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta

import pytest

from oarepo_s3.backends import StoreConfig
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.backends.sigv4 import SigningScope
from oarepo_s3.core.credentials import Credentials

NOW = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = Credentials("AKIDEXAMPLE", "the-secret", "the-token", NOW)
CONFIG = StoreConfig(endpoint_url="http://127.0.0.1:1", region="us-east-1", credentials=KEYS)

CARRIERS = [
    pytest.param(lambda: KEYS, id="credentials"),
    pytest.param(lambda: CONFIG, id="config"),
    pytest.param(lambda: SigningScope("http://h", "us-east-1", KEYS), id="scope"),
    pytest.param(lambda: S3Store("bucket", CONFIG), id="store"),
    pytest.param(lambda: {"keys": [KEYS, (CONFIG,)]}, id="container"),
]
WAYS: dict[str, Callable[[object], str]] = {
    "repr": repr,
    "str": str,
    "format": "{}".format,
    "percent": lambda carrier: "%s %r" % (carrier, carrier),  # noqa: UP031
    "pprint": pprint.pformat,
    "log": lambda carrier: logging.LogRecord(
        "x", logging.INFO, "x", 1, "%s", (carrier,), None
    ).getMessage(),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", CARRIERS)
def test_secret_and_token_are_never_shown(make, way):
    shown = WAYS[way](make())
    assert "the-secret" not in shown
    assert "the-token" not in shown


def test_the_access_key_is_shown_so_that_an_operator_knows_which_one_it_is():
    assert "AKIDEXAMPLE" in repr(CONFIG)


def test_a_traceback_that_ends_in_a_frozen_value_does_not_show_the_secret():
    with pytest.raises(FrozenInstanceError) as refused:
        KEYS.secret_key = "other"
    assert "the-secret" not in str(refused.value)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("expires_at", "wanted", "lifetime"),
    [
        pytest.param(None, HOUR, HOUR, id="fixed keys"),
        pytest.param(NOW + 2 * HOUR, HOUR, HOUR, id="keys that outlive the URL"),
        pytest.param(NOW + HOUR / 4, HOUR, HOUR / 4, id="keys that end before"),
        pytest.param(NOW, HOUR, timedelta(0), id="keys that end now"),
        pytest.param(NOW - HOUR, HOUR, -HOUR, id="keys that have ended"),
    ],
)
def test_a_url_lives_as_long_as_wanted_but_never_longer_than_its_keys(expires_at, wanted, lifetime):
    assert Credentials("a", "b", "t", expires_at).lifetime(wanted, now=NOW) == lifetime


def test_without_a_given_time_the_clock_decides():
    keys = Credentials("a", "b", "t", datetime.now(UTC) + HOUR / 2)
    assert HOUR / 2 - timedelta(seconds=5) < keys.lifetime(HOUR) <= HOUR / 2
