# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An application with an endpoint of drafts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ..conftest import start
from .package import forget, installed
from .records import ENDPOINTS, Draft


@pytest.fixture(scope="module")
def draft_package() -> Iterator[Any]:
    """oarepo-records-draft, for applications that are made meanwhile."""
    yield from start(installed())


@pytest.fixture(scope="module")
def app_config(app_config, place) -> dict[str, Any]:
    """The settings of a plain instance, and of the endpoint; ``place`` gives the store."""
    app_config["RECORDS_DRAFT_ENDPOINTS"] = ENDPOINTS
    app_config["RECORDS_REST_ENDPOINTS"] = {}
    return app_config


@pytest.fixture(scope="module")
def base_app(draft_package, base_app) -> Iterator[Any]:
    """The application; others do not see the package."""
    yield base_app
    forget(base_app)


@pytest.fixture
def owner(person) -> Any:
    """Whoever may do everything to the draft."""
    return person()


@pytest.fixture
def draft(owner, location) -> Draft:
    """A draft of the owner."""
    return Draft(**{action: [owner.user_id] for action in ("get", "put", "delete")})
