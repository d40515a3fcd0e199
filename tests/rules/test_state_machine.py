# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Whatever happens, in any order: the bucket's size is right, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from oarepo_s3.backends import memory
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.storage import S3FileStorage

from .machine import BucketMachine
from .model import PART

EXAMPLES, STEPS = 40, 30


@pytest.fixture
def tiny_parts(app, monkeypatch):
    """Parts of a few bytes, so that files of several parts cost nothing."""
    monkeypatch.setattr(memory, "MIN_PART_SIZE", PART)
    monkeypatch.setitem(app.config, "OAREPO_S3_MIN_PART_SIZE", PART)


@pytest.fixture
def files_rest_can_delete(monkeypatch):
    """What invenio-s3 does with an object at S3, done with one in memory."""

    def delete(storage):
        uri = ObjectURI.parse(storage.fileurl)
        memory.MemoryStore(uri.bucket).delete(uri.key)

    monkeypatch.setattr(S3FileStorage, "delete", delete)


# ObjectVersion.copy of files-rest looks for the file before it adds the version.
@pytest.mark.filterwarnings("ignore:Object of type <ObjectVersion> not in session")
def test_a_bucket_is_what_its_history_says(tiny_parts, files_rest_can_delete, location, tmp_path):
    run_state_machine_as_test(
        lambda: BucketMachine(location, tmp_path),
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            report_multiple_bugs=False,
            suppress_health_check=list(HealthCheck),
        ),
    )
