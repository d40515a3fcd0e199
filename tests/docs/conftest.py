# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A server and a shell for what is printed in the pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from invenio_db import db

from tests.services import Missing
from tests.services.process import find_program
from tests.serving import served

from .pages import run_commands


@pytest.fixture
def api(app) -> Iterator[str]:
    """The address of a real server of the REST API."""
    with served(app) as address:
        yield address


@pytest.fixture
def shell(api, bucket, tmp_path) -> Any:
    """Run commands as they are printed, in an empty folder."""
    try:
        for program in ("bash", "curl"):
            find_program(program, program)
    except Missing as missing:
        pytest.skip(str(missing))
    environment = {"API": api, "BUCKET": str(bucket.id), "TOKEN": "a-token"}

    def run_as_printed(commands: list[str], **more: str) -> str:
        db.session.rollback()
        done = run_commands(commands, tmp_path, **environment | more)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run_as_printed
