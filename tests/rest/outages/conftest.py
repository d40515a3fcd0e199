# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""PostgreSQL and Ceph, behind proxies that can fail."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from invenio_db import db
from sqlalchemy.engine import make_url

from ...conftest import REAL
from ...object_store import Store
from ...people import send_parts
from ...services import FaultProxy

CONTENT = os.urandom(1000)


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph."""
    return request.param


@pytest.fixture(scope="module")
def proxy(ceph) -> Iterator[FaultProxy]:
    """What is between everybody and the store."""
    with FaultProxy(ceph.port) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def store(place, ceph_store, proxy) -> Store:
    """The store, behind the proxy."""
    return replace(ceph_store, endpoint_url=proxy.endpoint_url)


@pytest.fixture(scope="module")
def db_proxy(postgres) -> Iterator[FaultProxy]:
    """What may be between the application and the database."""
    with FaultProxy(postgres.port) as proxy:
        yield proxy


def behind(db_uri: str, proxy: FaultProxy) -> str:
    """Return the URI of a database for those who shall reach it through a proxy."""
    return make_url(db_uri).set(port=proxy.port).render_as_string(hide_password=False)


@pytest.fixture
def upload(uploader, bucket, proxy) -> Iterator[dict[str, Any]]:
    """An upload with all its parts at the store; in the end all is well again."""
    upload = uploader.begin(bucket, "a", len(CONTENT))
    send_parts(upload, CONTENT)
    db.session.commit()
    yield upload
    proxy.reset()
