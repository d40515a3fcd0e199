# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A Ceph that runs out of a root serves as any other, and leaves nothing behind.

The root is the one that is tested, or this machine itself: it holds what a root needs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..object_store import Store
from .ceph import ROOT_VARIABLE, CephRGW
from .process import Missing

pytestmark = pytest.mark.ceph


def mounts() -> set[str]:
    """Return the mount points that we see."""
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return {line.split()[4] for line in lines}


@pytest.fixture
def rooted(ceph, tmp_path) -> Iterator[CephRGW]:
    """A gateway that runs in a root."""
    with CephRGW(tmp_path, root=ceph.root or Path("/")) as gateway:
        yield gateway


def test_it_serves(rooted, ceph):
    client = Store.at(rooted).client()
    client.create_bucket(Bucket="bucket")
    client.put_object(Bucket="bucket", Key="key", Body=b"content")
    assert client.get_object(Bucket="bucket", Key="key")["Body"].read() == b"content"
    assert rooted.version == ceph.version


def test_its_processes_are_our_children_and_their_mounts_nobody_elses(ceph, tmp_path):
    before = mounts()
    with CephRGW(tmp_path, root=ceph.root or Path("/")) as rooted:
        pids = rooted.pids
        assert len(pids) == 3
        for pid in pids:
            process = Path(f"/proc/{pid}")
            assert f"PPid:\t{os.getpid()}\n" in (process / "status").read_text()
            assert (process / "cmdline").read_bytes().startswith(b"/usr/bin/")
            assert (process / "root/mnt/ceph.conf").is_file()
        assert mounts() == before
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)
    assert mounts() == before
    assert not rooted.state.exists()


def test_the_environment_names_the_root(monkeypatch, tmp_path):
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    assert CephRGW(tmp_path).root == tmp_path
    assert CephRGW(tmp_path, root=Path("/")).root == Path("/")
    monkeypatch.setenv(ROOT_VARIABLE, "")
    assert CephRGW(tmp_path).root is None


def test_a_root_without_ceph_says_what_is_missing(tmp_path):
    with pytest.raises(Missing, match="radosgw ceph-mon ceph-osd"):
        CephRGW(tmp_path / "state", root=tmp_path).start()
