# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An instance with pages, a role and two locations, and ``invenio s3 policy``."""

from __future__ import annotations

import json
from typing import Any

import pytest
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.cli import s3

ORIGIN = "https://repo.example.org"
ROLE = "arn:aws:iam:::role/uploader"
USER = "arn:aws:iam:::user/demo"


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """An instance with pages and an upload role."""
    app_config.update(SITE_UI_URL=f"{ORIGIN}/some/page", OAREPO_S3_UPLOAD_ROLE=ROLE)
    return app_config


@pytest.fixture(autouse=True)
def _locations(location, store):
    """The default location, and another one below a prefix of the same bucket."""
    if Location.get_by_name("below") is None:
        db.session.add(Location(name="below", uri=f"s3://{store.bucket}/some/where"))
        db.session.commit()


@pytest.fixture
def run(app) -> Any:
    """Run a command: call it with its words; the exit status is compared."""

    def invoke(*words: str, status: int = 0) -> Any:
        done = app.test_cli_runner().invoke(s3, ["policy", *words])
        assert done.exit_code == status, done.output
        return done

    return invoke


def printed(done: Any) -> Any:
    """Read what a command has printed."""
    return json.loads(done.stdout)
