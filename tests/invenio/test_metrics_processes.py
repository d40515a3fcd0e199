# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Metrics of several processes: workers of a web server, forked ones, and workers of Celery."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ..conftest import LOCAL
from ..services.process import clean_environment

CALL = """
import os, sys
from flask import Flask
from invenio_db import InvenioDB, db
from invenio_files_rest import InvenioFilesREST
from invenio_s3 import InvenioS3
from prometheus_client import Counter
from oarepo_s3 import OARepoS3
from oarepo_s3.views import create_blueprint

app = Flask("process", static_folder=None)
app.config.update(SQLALCHEMY_DATABASE_URI="sqlite://", OAREPO_S3_METRICS_TOKEN="a token",
                  S3_ENDPOINT_URL=os.environ["ENDPOINT"], S3_REGION_NAME="us-east-1")
for extension in (InvenioDB, InvenioFilesREST, InvenioS3, OARepoS3):
    extension(app)
app.register_blueprint(create_blueprint(app))

def look():
    with app.app_context():
        assert app.extensions["oarepo-s3"].store(f"s3://{sys.argv[1]}").head("nothing") is None

with app.app_context():
    db.create_all()
look()
"""

CALL_OF_A_CHILD = """
Counter("of_the_site", "Somebody else's.").inc()
child = os.fork()
if not child:
    look()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""

SHOW = """
with app.app_context():
    answer = app.test_client().get(
        "/multipart-uploads/metrics", headers={"Authorization": "Bearer a token"})
    assert answer.status_code == 200, answer.text
    print(answer.text)
"""


@pytest.fixture(scope="module", params=[LOCAL])
def place(request) -> str:
    """One place: the store is only there to be called."""
    return request.param


def start(script: str, store: Any, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a process that may call the store."""
    own = {
        "ENDPOINT": store.endpoint_url,
        "AWS_ACCESS_KEY_ID": store.access_key,
        "AWS_SECRET_ACCESS_KEY": store.secret_key,
    }
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, store.bucket],
        env={**clean_environment(), **own, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.fixture
def run(store) -> object:
    """Run a process that calls the store twice, once in a child, and shows the metrics."""

    def ran(**environment: str) -> dict[str, float]:
        done = start(CALL + CALL_OF_A_CHILD + SHOW, store, **environment)
        assert done.returncode == 0, done.stderr
        families = text_string_to_metric_families(done.stdout)
        return {sample.name: sample.value for family in families for sample in family.samples}

    return ran


def test_processes_that_share_a_folder_are_added_up(run, tmp_path):
    shared = tmp_path / "shared"
    shared.mkdir()
    counts = [
        run(PROMETHEUS_MULTIPROC_DIR=str(shared))["oarepo_s3_store_call_seconds_count"]
        for _ in range(2)
    ]
    assert counts == [2, 4]
    assert len(list(Path(shared).glob("*.db"))) >= 4


def test_what_others_keep_in_that_folder_is_not_shown(run, tmp_path):
    seen = run(PROMETHEUS_MULTIPROC_DIR=str(tmp_path))
    assert [name for name in seen if not name.startswith("oarepo_s3_")] == []


def test_a_folder_that_is_not_there_breaks_no_call(store, tmp_path):
    done = start(CALL, store, PROMETHEUS_MULTIPROC_DIR=str(tmp_path / "missing"))
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("could not be counted (FileNotFoundError)") == 1


@pytest.mark.parametrize("state", ["missing", "no folder", "broken"])
def test_a_folder_that_cannot_be_read_leaves_what_the_database_knows(store, tmp_path, state):
    folder = tmp_path / "folder"
    if state == "no folder":
        folder.write_text("")
    if state == "broken":
        folder.mkdir()
        (folder / "counter_1.db").write_bytes(b"no counts" * 9)
    done = start(CALL + SHOW, store, PROMETHEUS_MULTIPROC_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    names = {family.name for family in text_string_to_metric_families(done.stdout)}
    assert "oarepo_s3_uploads" in names
    assert "oarepo_s3_store_call_seconds" not in names
    assert done.stderr.count("The metrics lack the calls to the store") == 1


def test_a_process_on_its_own_shows_its_own(run):
    assert "PROMETHEUS_MULTIPROC_DIR" not in os.environ
    assert run()["oarepo_s3_store_call_seconds_count"] == 1
