# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A process that dies where it is told to, and an upload that it works on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from oarepo_s3.models import Upload
from oarepo_s3.services import NewUpload, create_upload, sign_parts

from ..conftest import REAL, settings_for
from ..people import put
from .deaths import CONTENT, Mortal

NO_GRACE = -60
"""Seconds: orphans need no age."""

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL and Ceph: what is left has to be left in real servers."""
    return request.param


@pytest.fixture(scope="module")
def mortal(app, db_uri, store) -> Iterator[Mortal]:
    """A process to be killed."""
    settings = {
        **settings_for(store),
        "SQLALCHEMY_DATABASE_URI": db_uri,
        "SECRET_KEY": app.secret_key,
        "OAREPO_S3_ORPHAN_GRACE": NO_GRACE,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.child", json.dumps(settings)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    yield Mortal(process)
    process.communicate(timeout=30)


@pytest.fixture(autouse=True)
def _only_own_rows(_no_older_uploads):
    """Tasks take whatever uploads there are."""


@pytest.fixture
def upload(bucket) -> Upload:
    """An upload with all its parts at the store."""
    made = create_upload(NewUpload(bucket_id=bucket.id, key="a", size=len(CONTENT)))
    put(sign_parts(made, [1])[0].url, CONTENT)
    return made


@pytest.fixture
def no_grace(app):
    """Orphans need no age."""
    app.config["OAREPO_S3_ORPHAN_GRACE"] = NO_GRACE
    yield
    app.config["OAREPO_S3_ORPHAN_GRACE"] = 24 * 3600
