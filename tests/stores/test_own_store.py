# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The tests of stores run at any S3 store that the environment names, and leave nothing there."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest

from tests.services.process import clean_environment

from ..own_store import KIND, NAMES

ROOT = Path(__file__).parents[2]
FILES = [f"tests/stores/test_{name}.py" for name in ("urls", "forms")]
"""The quick ones: the others find the store in the same way."""


def run_tests(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run pytest with exactly these names of a store in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-q", *arguments],
        cwd=ROOT,
        env={**clean_environment("OAREPO_S3_", "PYTEST_", "COV_"), **environment},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )


@pytest.mark.parametrize("missing", NAMES)
def test_half_a_store_is_refused_by_the_name_that_is_missing(missing):
    environment = dict.fromkeys(set(NAMES) - {missing}, "http://127.0.0.1:9")
    done = run_tests(environment, "--collect-only", "tests/unit/test_uris.py")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert f"set {missing} as well" in done.stderr


@pytest.mark.ceph
def test_the_tests_of_stores_run_at_a_store_that_is_named_and_leave_nothing(ceph_store):
    client = ceph_store.client()
    client.create_bucket(Bucket="yours")
    endpoint, access_key, secret_key, *_ = astuple(ceph_store)
    environment = dict(zip(NAMES, [endpoint, access_key, secret_key, "yours"], strict=True))
    done = run_tests(environment | {KIND: "ceph"}, "-k", "yours", *FILES)
    assert done.returncode == 0, done.stdout
    assert int(done.stdout.rpartition(" passed")[0].split()[-1]) > 30
    left = client.list_objects_v2(Bucket="yours").get("Contents", [])
    assert [found["Key"] for found in left] == []
    assert "Uploads" not in client.list_multipart_uploads(Bucket="yours")
    client.close()
