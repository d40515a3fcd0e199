# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 sync --json``: a whole document or nothing, however long it is."""

from __future__ import annotations

import json
import tracemalloc
from contextlib import redirect_stdout

import pytest
from invenio_db import db

from benchmarks.sync_memory import MadeUp
from oarepo_s3.cli import s3
from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.models import Scope
from oarepo_s3.services.context import UploadContext
from oarepo_s3.services.sync import PAGE

SYNC = ["sync", "default:made-up"]

COUNT = PAGE + 100
"""More than a page of differences."""

FEW, MANY = 500, 16_000
MAY_GROW = 900_000
"""Bytes that the longer list may take more, as in ``test_memory``; its document has 1.8 million."""


class BreaksOff(MadeUp):
    """A list whose end the store does not give."""

    def list_objects(self, prefix, *, after=""):
        yield from super().list_objects(prefix, after=after)
        raise StoreUnavailable(reason="ConnectionClosed")


@pytest.fixture
def objects(app, memory, location, monkeypatch):
    """Let the store list other objects; the location has no scope."""
    db.session.execute(db.delete(Scope))
    db.session.commit()
    return lambda store: monkeypatch.setattr(UploadContext, "store", lambda context, uri: store)


@pytest.fixture
def sync(app):
    """Run the command."""

    def run(*options):
        done = app.test_cli_runner().invoke(s3, [*SYNC, *options])
        db.session.rollback()
        return done

    return run


def test_all_changes_are_one_document(objects, sync):
    objects(MadeUp(COUNT))
    document = json.loads(sync("--dry-run", "--json").stdout)
    assert len(document["changes"]) == document["added"] == COUNT
    assert {change["kind"] for change in document["changes"]} == {"new"}


@pytest.mark.parametrize("options", [["--dry-run"], []], ids=["dry", "really"])
def test_of_a_sync_that_fails_midway_no_half_of_a_document_is_printed(objects, sync, options):
    objects(BreaksOff(COUNT))
    done = sync("--json", *options)
    assert (done.exit_code, done.stdout) == (1, "")
    assert "(store_unavailable)" in done.stderr


def test_lines_come_until_it_fails(objects, sync):
    objects(BreaksOff(COUNT))
    done = sync("--dry-run")
    assert (done.exit_code, done.stdout.count("+ ")) == (1, PAGE)


def test_a_long_document_takes_no_more_memory(objects, tmp_path):
    peaks = {}
    for count in (100, FEW, MANY):  # whatever is loaded once is loaded with the first
        objects(MadeUp(count))
        path = tmp_path / f"{count}.json"
        tracemalloc.start()
        with path.open("w") as file, redirect_stdout(file):
            s3.main([*SYNC, "--dry-run", "--json"], standalone_mode=False)
        peaks[count] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert json.loads(path.read_text())["added"] == count
    assert peaks[MANY] - peaks[FEW] < MAY_GROW, peaks
