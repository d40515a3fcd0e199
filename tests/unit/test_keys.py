# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Keys that their instance knows again, and nobody else's."""

from __future__ import annotations

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oarepo_s3.core.keys import KeyMarker

OURS = KeyMarker((b"our secret",))
FILE = uuid.UUID("0f8fad5b-d9cb-469f-a165-70867728950e")


def key_of(marker, file_id, prefix=""):
    written = str(file_id)
    return f"{prefix}{written[:2]}/{written[2:4]}/{written[4:]}/{marker.file_name(file_id)}"


@given(st.uuids(), st.sampled_from(["", "some/prefix/"]))
def test_an_own_key_tells_its_file(file_id, prefix):
    assert OURS.file_id(prefix, key_of(OURS, file_id, prefix)) == file_id


@given(st.uuids())
def test_the_layout_may_have_any_depth(file_id):
    written, name = str(file_id), OURS.file_name(file_id)
    assert OURS.file_id("", f"{written}/{name}") == file_id
    assert OURS.file_id("", f"{written[:3]}/{written[3:9]}/{written[9:]}/{name}") == file_id


@given(st.text())
def test_any_other_key_is_not_ours(key):
    assert OURS.file_id("", key) is None


@pytest.mark.parametrize(
    "key",
    [
        key_of(KeyMarker((b"their secret",)), FILE),
        key_of(OURS, FILE, "other/"),
        key_of(OURS, FILE) + "/more",
        key_of(OURS, FILE).upper(),
        key_of(OURS, FILE).rpartition("/")[0] + "/data",
        key_of(OURS, FILE).rpartition("/")[0] + "/" + OURS.file_name(uuid.UUID(int=1)),
        "0f/8f/ad5bd9cb469fa16570867728950e/" + OURS.file_name(FILE),
    ],
)
def test_a_key_that_looks_like_ours_is_not(key):
    assert OURS.file_id("", key) is None


def test_a_key_is_looked_for_below_its_location_only():
    assert OURS.file_id("here/", key_of(OURS, FILE, "there/")) is None
    assert OURS.file_id("here/", key_of(OURS, FILE)) is None


def test_an_older_secret_still_counts_and_does_not_mark_new_keys():
    renewed = KeyMarker((b"new secret", b"our secret"))
    assert renewed.file_id("", key_of(OURS, FILE)) == FILE
    assert renewed.file_name(FILE) != OURS.file_name(FILE)


def test_a_marker_shows_no_secret():
    assert "secret" not in repr(OURS)
