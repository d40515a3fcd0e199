# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An instance whose store hands out temporary keys, and a scope to ask them for."""

from __future__ import annotations

import pytest

from oarepo_s3.services import NewScope, create_scope, remove_scope

from ...conftest import WITH_KEYS
from .wishes import NAME, PREFIX


@pytest.fixture(scope="module", params=[WITH_KEYS])
def place(request) -> str:
    """PostgreSQL, and Ceph with STS."""
    return request.param


@pytest.fixture
def scope(uploader, bucket):
    """A scope of the uploader."""
    made = create_scope(
        NewScope(NAME, "default", PREFIX.rstrip("/"), bucket_id=bucket.id, user_id=uploader.user_id)
    )
    yield made
    remove_scope(NAME)
