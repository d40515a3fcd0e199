# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Files with secrets: nobody else reads them, and they are never half there."""

from __future__ import annotations

import stat

import pytest

from oarepo_s3.provisioning.private_files import is_private, staged


def test_a_file_is_there_when_the_block_has_ended_and_not_before(tmp_path):
    path = tmp_path / "a.cfg"
    with staged(path, "new"):
        assert not path.exists()
        (other,) = tmp_path.iterdir()
        assert stat.S_IMODE(other.stat().st_mode) == 0o600
    assert path.read_text() == "new"
    assert is_private(path)
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "a.cfg"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), staged(path, "new"):
        1 / 0  # noqa: B018
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_known_before_the_block(tmp_path):
    with pytest.raises(OSError, match="folder"), staged(tmp_path / "no folder" / "a.cfg", "new"):
        pytest.fail("the block was run")


def test_a_file_that_others_may_read_or_that_is_missing_is_not_private(tmp_path):
    path = tmp_path / "a.cfg"
    assert not is_private(path)
    path.write_text("old")
    path.chmod(0o640)
    assert not is_private(path)
