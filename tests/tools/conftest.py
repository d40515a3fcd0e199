# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An instance whose store is a gateway that makes temporary keys, and a scope to have keys to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.cli import s3
from oarepo_s3.models import Scope
from oarepo_s3.services import NewScope, create_scope

from ..conftest import WITH_KEYS, required
from ..object_store import Store
from .programs import COMMANDS, folder_of

SCOPE = "jane.doe:big-data"
PREFIX = "scopes/jane's data"
OTHERS = "scopes/jane's data and more"


@pytest.fixture(scope="module", params=[WITH_KEYS])
def place(request) -> str:
    """Where the tests run: only a real gateway makes temporary keys."""
    return request.param


@pytest.fixture(scope="module")
def store(place, sts_store) -> Store:
    """The object store of the place, with an object outside the prefix."""
    client = sts_store.client()
    client.put_object(Bucket=sts_store.bucket, Key=f"{OTHERS}/secret.txt", Body=b"not for Jane")
    client.close()
    return sts_store


@pytest.fixture(scope="module")
def scope(database, location_uri) -> Scope:
    """A scope for the prefix."""
    db.session.add(Location(name="default", uri=location_uri, default=True))
    db.session.commit()
    made = create_scope(NewScope(SCOPE, "default", PREFIX))
    assert made is not None
    return made


@pytest.fixture
def command(app, scope) -> Any:
    """``invenio s3 credentials``: call it with its arguments."""

    def run(*arguments: str) -> Result:
        return app.test_cli_runner().invoke(s3, ["credentials", *arguments])

    return run


@pytest.fixture(params=COMMANDS)
def format(request) -> str:
    """A format whose tool is there."""
    with required():
        folder_of("aws" if request.param == "env" else request.param)
    return request.param


@pytest.fixture
def folder(tmp_path) -> Path:
    """A folder whose name a shell would misread, if somebody forgot the quotes."""
    made = tmp_path / "Jane's files"
    made.mkdir()
    return made
