# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Files with secrets: for their owner alone, whole, and never through a link."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from oarepo_s3.cli.private_file import PrivateFile, PrivateFileError


def full(handle):
    """Fail as the system does when no room is left."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(autouse=True)
def _open_to_all():
    """Whatever the umask is, the file is its owner's."""
    before = os.umask(0)
    yield
    os.umask(before)


def test_a_new_file_is_for_its_owner_alone(tmp_path):
    file = PrivateFile(tmp_path / "new", replace=False)
    assert file.read() == ""
    file.write("té\n")
    assert (tmp_path / "new").read_bytes() == "té\n".encode()
    assert mode(tmp_path / "new") == 0o600
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]


def test_a_file_that_others_could_read_is_closed_to_them(tmp_path):
    path = tmp_path / "old"
    path.write_bytes(b"a\r\nb")
    path.chmod(0o644)
    file = PrivateFile(path, replace=True)
    assert file.read() == "a\nb"
    file.write("c")
    assert (path.read_text(), mode(path)) == ("c", 0o600)


def test_a_file_that_is_there_stays(tmp_path):
    path = tmp_path / "old"
    path.write_text("mine")
    with pytest.raises(PrivateFileError, match="is there already"):
        PrivateFile(path, replace=False)
    assert path.read_text() == "mine"


@pytest.mark.parametrize("replace", [True, False])
@pytest.mark.parametrize("target", ["exists", "missing"])
def test_a_link_is_not_followed(tmp_path, target, replace):
    (tmp_path / "exists").write_text("others'")
    path = tmp_path / "link"
    path.symlink_to(tmp_path / target)
    with pytest.raises(PrivateFileError, match="no plain file"):
        PrivateFile(path, replace=replace)
    assert path.is_symlink()


def test_what_is_no_file_is_refused(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(PrivateFileError, match="no plain file"):
            PrivateFile(path, replace=True)


def test_a_folder_has_to_be_there(tmp_path):
    with pytest.raises(PrivateFileError, match="no folder"):
        PrivateFile(tmp_path / "no" / "file", replace=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(PrivateFileError, match="Not a directory"):
        PrivateFile(tmp_path / "file" / "file", replace=True)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "old").write_bytes(b"\xff\xfe")
    with pytest.raises(PrivateFileError, match="UTF-8"):
        PrivateFile(tmp_path / "old", replace=True).read()


@pytest.mark.parametrize("change", ["written", "removed", "linked"])
def test_a_change_in_the_meantime_is_not_lost(tmp_path, change):
    path = tmp_path / "old"
    path.write_text("old")
    file = PrivateFile(path, replace=True)
    if change == "written":
        path.write_text("somebody's")
    else:
        path.unlink()
    if change == "linked":
        path.symlink_to(tmp_path / "elsewhere")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(PrivateFileError, match=r"changed meanwhile|no plain file"):
        file.write("ours")
    assert sorted(tmp_path.iterdir()) == before


def test_a_file_that_somebody_else_made_meanwhile_stays(tmp_path):
    file = PrivateFile(tmp_path / "new", replace=False)
    (tmp_path / "new").write_text("somebody's")
    with pytest.raises(PrivateFileError, match="changed meanwhile"):
        file.write("ours")
    assert (tmp_path / "new").read_text() == "somebody's"


def test_a_full_disk_leaves_everything_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "old"
    path.write_text("old")
    file = PrivateFile(path, replace=True)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(PrivateFileError, match="No space left"):
        file.write("ours")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_staged_text_is_there_when_the_block_has_ended_and_not_before(tmp_path):
    path = tmp_path / "new"
    with PrivateFile(path, replace=False).staged("new"):
        (other,) = tmp_path.iterdir()
        assert other != path
        assert mode(other) == 0o600
    assert path.read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_block_that_fails_leaves_what_was_there(tmp_path):
    path = tmp_path / "old"
    path.write_text("old")
    with pytest.raises(ZeroDivisionError), PrivateFile(path, replace=True).staged("new"):
        1 / 0  # noqa: B018
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("change", ["full", "written"])
def test_what_cannot_be_written_is_known_before_the_block(tmp_path, monkeypatch, change):
    path = tmp_path / "old"
    path.write_text("old")
    file = PrivateFile(path, replace=True)
    if change == "full":
        monkeypatch.setattr(os, "fsync", full)
    else:
        path.write_text("somebody's")
    before = path.read_text()
    with pytest.raises(PrivateFileError), file.staged("ours"):
        pytest.fail("the block was run")
    assert path.read_text() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_others_may_read_or_that_is_missing_is_not_private(tmp_path):
    path = tmp_path / "new"
    file = PrivateFile(path, replace=True)
    assert not file.is_private
    file.write("new")
    assert PrivateFile(path, replace=True).is_private
    path.chmod(0o640)
    assert not PrivateFile(path, replace=True).is_private
