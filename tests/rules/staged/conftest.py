# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads of six parts whose file a tool sends in one piece."""

from __future__ import annotations

import pytest

from oarepo_s3.services import grant_upload
from oarepo_s3.services.stored import StoredUpload

from ..conftest import PART

A, B = (letter * (5 * PART + 7) for letter in (b"a", b"b"))
"""Two files of six parts."""


@pytest.fixture
def two_at_a_time(app):
    """Copy few parts at a time, and have no patience."""
    before = app.config["OAREPO_S3_SWEEP_THREADS"], app.config["OAREPO_S3_COMPLETE_TIMEOUT"]
    app.config["OAREPO_S3_SWEEP_THREADS"], app.config["OAREPO_S3_COMPLETE_TIMEOUT"] = 2, 0
    yield
    app.config["OAREPO_S3_SWEEP_THREADS"], app.config["OAREPO_S3_COMPLETE_TIMEOUT"] = before


@pytest.fixture
def granted(memory, begin):
    """Open an upload of six parts, with keys."""
    upload = begin(size=len(A))
    grant_upload(upload, user_id=None)
    return upload


def put(memory, upload, content):
    """Do what a tool with the keys does."""
    memory.put_object(StoredUpload.of(upload).form_key, content)
