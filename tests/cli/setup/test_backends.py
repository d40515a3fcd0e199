# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The list of the installed back ends."""

from __future__ import annotations

import json

from oarepo_s3.backends import registry


def test_the_installed_back_ends_are_listed_with_a_line_each(run):
    assert run("backends").stdout.splitlines() == [
        "memory: A store in the memory of one process, for tests: without a server, and soon"
        " forgotten.",
        "s3: AWS, Ceph RGW, MinIO and other stores that speak S3: one bucket, thread-safe.",
    ]
    listed = json.loads(run("backends", "--json").stdout)["backends"]
    assert [backend["name"] for backend in listed] == ["memory", "s3"]


def test_a_broken_back_end_does_not_hide_the_others(run, monkeypatch):
    found = registry.entry_points(group=registry.ENTRY_POINT_GROUP)
    broken = registry.EntryPoint("broken", "no_such_package:Store", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [*found, broken])
    lines = run("backends").stdout.splitlines()
    assert lines[0].startswith("broken: cannot be loaded: ModuleNotFoundError")
    assert len(lines) == 3


def test_the_wizard_offers_what_it_can_set_up_and_refuses_the_rest_at_once(run):
    said = run("setup", input="memory\ns3\n", status=1).stderr
    assert "  s3: AWS, Ceph RGW" in said
    assert "memory: A store" not in said
    assert said.count("Error: backend has to be one that speaks S3: s3\n") == 1
    assert said.count("Kind of store") == 1
