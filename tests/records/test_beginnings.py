# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A call that fails after the store has opened an upload leaves nothing there."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import OperationalError

from oarepo_s3.core.errors import StoreUnavailable
from oarepo_s3.services.stored import StoredUpload

from .editor import PART, transfer
from .stack import FileRecord


def test_a_file_that_failed_to_begin_is_dropped_at_the_store(editor):
    answer = editor.ask(transfer("a.bin", PART), transfer("a.bin", PART))
    assert answer.status_code == 400
    assert editor.at_store() == set()
    assert editor.uploads() == []


def test_a_file_whose_entry_cannot_be_written_is_dropped_at_the_store(editor, monkeypatch):
    class Broken(Exception):
        """A schema or a receiver that takes no such entry."""

    def refuse(self):
        assert len(editor.at_store()) == 1
        raise Broken

    monkeypatch.setattr(FileRecord, "commit", refuse)
    with pytest.raises(Broken):
        editor.ask(transfer("a.bin", PART))
    assert editor.at_store() == set()
    assert editor.uploads() == []
    assert editor.bucket_size() == 0


@pytest.mark.parametrize(
    "error",
    [StoreUnavailable(reason="no answer"), OperationalError("SELECT", {}, Exception("away"))],
    ids=["store", "database"],
)
def test_who_is_away_then_does_not_hide_why_a_file_failed_to_begin(editor, monkeypatch, error):
    def away(self):
        raise error

    monkeypatch.setattr(StoredUpload, "clear", away)
    answer = editor.ask(transfer("a.bin", PART), transfer("a.bin", PART))
    assert answer.status_code == 400
    assert editor.uploads() == []
    # It is an orphan, and the sweep of these finds it.
    assert len(editor.at_store()) == 1
