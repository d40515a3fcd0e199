# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a scope may be called, and where it may lie."""

from __future__ import annotations

import uuid

import pytest
from invenio_files_rest.helpers import make_path

from oarepo_s3.core.errors import InvalidScope
from oarepo_s3.core.scopes import (
    Place,
    ScopeName,
    begins_like_a_file,
    check_prefix,
    is_like_a_file,
    overlap,
)


@pytest.mark.parametrize("name", ["user.name:dataset", "a:b", "A-1_x.y:2026-11_run.7", "7:0"])
def test_a_name_has_two_halves(name):
    assert str(ScopeName.parse(name)) == name


def test_the_halves_are_the_prefix_when_none_is_chosen():
    assert ScopeName.parse("user.name:dataset").prefix == "user.name/dataset"


@pytest.mark.parametrize(
    "name",
    [
        *["", ":", "a", "a:", ":b", "a:b:c", "..:b", ".a:b", "a:b-", f"a:{'b' * 254}"],
        *["a/b:c", "a:b/c", "a b:c", "a:b\n", "á:b", "a:*"],
    ],
)
def test_any_other_name_is_refused(name):
    with pytest.raises(InvalidScope):
        ScopeName.parse(name)


def test_a_name_may_have_255_characters():
    assert len(str(ScopeName.parse("a:" + "b" * 253))) == 255


@pytest.mark.parametrize(
    ("written", "location", "prefix", "name"),
    [
        ("outside", "outside", "", "outside"),
        ("outside:", "outside", "", "outside"),
        ("outside:data", "outside", "data", "outside:data"),
        ("outside:data/", "outside", "data", "outside:data"),
        ("outside:a b/ü:c", "outside", "a b/ü:c", "outside:a b/ü:c"),
    ],
)
def test_a_place_has_one_name_however_it_is_written(written, location, prefix, name):
    place = Place.parse(written)
    assert (place.location, place.prefix, str(place)) == (location, prefix, name)


@pytest.mark.parametrize(
    "written", ["", ":a", "Outside:a", "o:a", "under_score:a", "a" * 21, "outside:" + "a" * 248]
)
def test_a_place_has_to_begin_with_a_location(written):
    with pytest.raises(InvalidScope):
        Place.parse(written)


@pytest.mark.parametrize(
    "prefix",
    [
        *["/", "/a", "a//b", "a//", ".", "..", "a/..", "./a"],
        *["a*", "a?", "${aws:username}", "a\\b", "a[b]", "a\nb", "a\0", "a\x7f", "a\u202eb"],
    ],
)
def test_a_prefix_that_no_key_should_begin_with_is_refused(prefix):
    with pytest.raises(InvalidScope):
        check_prefix(prefix)


@pytest.mark.parametrize(("dimensions", "length"), [(2, 2), (1, 4), (2, 9), (3, 1), (0, 2)])
def test_a_prefix_below_which_files_lie_is_recognised(dimensions, length):
    for _ in range(20):
        path = make_path("", str(uuid.uuid4()), "data", dimensions, length)
        assert begins_like_a_file(path, dimensions=dimensions, length=length)
        first = path.partition("/")[0]
        assert begins_like_a_file(first, dimensions=dimensions, length=length)
        assert is_like_a_file(path, dimensions=dimensions, length=length)
        for other in (
            first,
            f"{path}/x",
            f"x/{path}",
            path.replace("-", "_"),
            path.removesuffix("/data"),
        ):
            assert not is_like_a_file(other, dimensions=dimensions, length=length), other
        for other in (f"{first}0", first[:-1], f"{first[:-1]}g", first.upper() + "G", f"x/{first}"):
            assert not begins_like_a_file(other, dimensions=dimensions, length=length), other


@pytest.mark.parametrize("prefix", ["", "data", "2026", "a", "abc"])
def test_other_prefixes_are_free(prefix):
    assert not begins_like_a_file(prefix, dimensions=2, length=2)


def test_places_overlap_when_one_lies_in_the_other():
    assert overlap("s3://b/a/", "s3://b/a/")
    assert overlap("s3://b/", "s3://b/a/")
    assert overlap("s3://b/a/c/", "s3://b/a/")
    assert not overlap("s3://b/a/", "s3://b/ab/")
    assert not overlap("s3://b/a/", "s3://c/a/")
