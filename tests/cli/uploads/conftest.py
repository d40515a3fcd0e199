# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A store that a test can take away, and the commands."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
from invenio_db import db

from oarepo_s3.cli import s3

from ...services import FaultProxy


@pytest.fixture(scope="module")
def own_store(place, request):
    """The store of the place itself."""
    return request.getfixturevalue({"local": "rclone_store", "real": "ceph_store"}[place])


@pytest.fixture(scope="module")
def proxy(own_store) -> Iterator[FaultProxy]:
    """What is between everybody and the store."""
    with FaultProxy(urlsplit(own_store.endpoint_url).port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def store(place, own_store, proxy):
    """The store, behind the proxy."""
    return replace(own_store, endpoint_url=proxy.endpoint_url)


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A store that is away is noticed soon, and asked again at once."""
    app_config.update(
        OAREPO_S3_CONNECT_TIMEOUT=2,
        OAREPO_S3_SILENCE_PAUSE=0,
        OAREPO_S3_MAX_ATTEMPTS=1,
        OAREPO_S3_ORPHAN_GRACE=-60,
    )
    return app_config


@pytest.fixture
def away(proxy):
    """Take the store away, when it is called, until the test ends."""
    yield lambda: proxy.faults(refuse=True, reset_up=1)
    proxy.reset()


@pytest.fixture(autouse=True)
def _only_own_uploads(app, store, _no_older_uploads):
    store.abort_open_uploads()
    yield
    store.abort_open_uploads()


@pytest.fixture
def run(app):
    """Run ``invenio s3 uploads ...``; the status is checked."""

    def run_command(*arguments, status=0):
        result = app.test_cli_runner().invoke(s3, ["uploads", *map(str, arguments)])
        db.session.rollback()
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return run_command


@pytest.fixture
def ask(run):
    """Run a command with ``--json``, and read what it says."""
    return lambda *arguments, **more: json.loads(run(*arguments, "--json", **more).stdout)
