# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Buckets that are examined, and have to be empty afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ...object_store import Store
from ..conftest import connection
from ..patient import Patient


@contextmanager
def examined(place: Store) -> Iterator[Patient]:
    """A bucket at a store; whatever was wrong with it, the check has left nothing there."""
    made = Patient(place, connection(place))
    yield made
    assert made.content() == []
    made.client.delete_bucket(Bucket=made.bucket)


@pytest.fixture
def patient(ceph_store) -> Iterator[Patient]:
    """A bucket at Ceph."""
    with examined(ceph_store) as made:
        yield made
        made.forbid_nothing()
