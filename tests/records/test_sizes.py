# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How long answers get with the settings as they are."""

from __future__ import annotations

import pytest

from .editor import PART, entry

LINK = 1000
"""Bytes that no part link reaches."""


@pytest.mark.parametrize(("parts", "links"), [(25, 25), (1000, 1000), (1001, 25), (10_000, 25)])
def test_an_answer_does_not_grow_with_the_file_beyond_the_limit(editor, parts, links):
    begun = editor.begin("a.bin", parts * PART)
    assert len(begun["links"]["parts"]) == links
    for answer in (editor.read("a.bin"), editor.list()):
        assert len(answer.data) < links * LINK + 5 * LINK


def test_a_list_of_ten_huge_files_is_no_longer_than_ten_windows(editor):
    for number in range(10):
        editor.begin(f"{number}.bin", 10_000 * PART)
    answer = editor.list()
    assert len(entry(answer, "9.bin")["links"]["parts"]) == 25
    assert len(answer.data) < 10 * 30 * LINK
