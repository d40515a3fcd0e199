# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An instance whose store hands out temporary keys, and a scope to ask them for."""

from __future__ import annotations

import pytest

from oarepo_s3.services import NewScope, create_scope, remove_scope

from ...conftest import REAL
from ...keys import ROLE
from ...object_store import Store
from .wishes import NAME, PREFIX


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL, and Ceph with STS."""
    return request.param


@pytest.fixture(scope="module")
def store(place, sts_store) -> Store:
    """The store that hands out keys."""
    return sts_store


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """A role to make keys of."""
    app_config["OAREPO_S3_UPLOAD_ROLE"] = ROLE
    app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


@pytest.fixture
def scope(uploader, bucket):
    """A scope of the uploader."""
    made = create_scope(
        NewScope(NAME, "default", PREFIX.rstrip("/"), bucket_id=bucket.id, user_id=uploader.user_id)
    )
    yield made
    remove_scope(NAME)
