# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the commands have done is looked at past them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def client(store) -> Iterator[Any]:
    """A plain client of the store."""
    made = store.client()
    yield made
    made.close()
