# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A worker that has just begun: nothing but the application and its tasks is loaded."""

from __future__ import annotations

import subprocess
import sys

CODE = """
from invenio_app.factory import create_api
app = create_api(SECRET_KEY="a", SQLALCHEMY_DATABASE_URI="sqlite://")
import oarepo_s3.tasks
from oarepo_s3.signals import after_upload_complete
print([receiver.__name__ for receiver in after_upload_complete.receivers_for(app)])
"""


def test_it_commits_what_came_by_a_form(tmp_path):
    run = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", CODE],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert "commit_form" in run.stdout.splitlines()[-1]
