# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A file in one piece and parts of another one for the same upload: they are not mixed."""

from __future__ import annotations

from contextlib import suppress

import pytest
from invenio_db import db

from oarepo_s3.core.errors import MissingParts, StillCopying, StoreUnavailable, StoreUploadGone
from oarepo_s3.services import complete_upload, sign_parts
from oarepo_s3.services.stored import StoredUpload

from ..conftest import PART, send
from ..outcomes import is_published
from .conftest import A, B, put

pytestmark = pytest.mark.usefixtures("_no_older_uploads", "_role")


def test_all_parts_that_were_sent_win(memory, granted):
    put(memory, granted, A)
    send(memory, granted, B)
    complete_upload(granted)
    assert is_published(memory, granted, B)
    assert "copy_part" not in memory.calls


def test_a_whole_file_wins_over_some_parts(memory, granted):
    old = granted.store_upload_id
    put(memory, granted, A)
    send(memory, granted, B, parts=[1, 2, 5])
    complete_upload(granted)
    assert is_published(memory, granted, A)
    assert old not in memory.uploads


def test_parts_can_be_sent_until_the_file_has_come(memory, granted):
    send(memory, granted, A, parts=[1, 2])
    with pytest.raises(MissingParts, match="4 of 6"):
        complete_upload(granted)
    send(memory, granted, A, parts=[3, 4, 5, 6])
    complete_upload(granted)
    assert is_published(memory, granted, A)


@pytest.mark.parametrize("fresh", [False, True], ids=["by an old URL", "by a new URL"])
def test_a_part_that_is_sent_while_the_file_is_copied_is_not_mixed_with_it(
    memory, granted, monkeypatch, fresh
):
    url = sign_parts(granted, [1])[0].url
    put(memory, granted, A)
    all_parts, lists = StoredUpload.all_parts, []

    def listed(stored):
        lists.append(stored)
        if len(lists) == 2:
            with suppress(StoreUnavailable, StoreUploadGone):
                memory.put_part(sign_parts(granted, [1])[0].url if fresh else url, B[:PART])
            db.session.commit()
        return all_parts(stored)

    monkeypatch.setattr(StoredUpload, "all_parts", listed)
    complete_upload(granted)
    assert is_published(memory, granted, A)


@pytest.mark.usefixtures("two_at_a_time")
def test_parts_can_be_sent_again_when_the_file_is_gone(memory, granted):
    put(memory, granted, A)
    with pytest.raises(StillCopying):
        complete_upload(granted)
    with pytest.raises(StoreUnavailable, match="temporary keys"):
        sign_parts(granted, [1])
    put(memory, granted, A[:-1])
    with pytest.raises(MissingParts, match="6 of 6"):
        complete_upload(granted)
    send(memory, granted, B)
    complete_upload(granted)
    assert is_published(memory, granted, B)
    assert memory.uploads == {}
