# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which locations there are, and which of them commands take."""

from __future__ import annotations

import pytest
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.cli.places import Place, all_places, find_place, locations_at
from oarepo_s3.services import KnownLocation, all_locations, default_location, find_location

KNOWN = [
    KnownLocation("a-disk", "/var/files", default=False),
    KnownLocation("default", "memory://rules", default=True),
    KnownLocation("s3-all", "s3://bucket", default=False),
    KnownLocation("s3-some", "s3://bucket/some/folder", default=False),
]


@pytest.fixture(autouse=True)
def _locations(location):
    made = [
        Location(name=known.name, uri=f"{known.uri}/", default=False)
        for known in KNOWN
        if known.name != "default"
    ]
    db.session.add_all(made)
    db.session.commit()
    yield
    for each in made:
        db.session.delete(each)
    db.session.commit()


def test_all_are_known_by_name_and_the_database_is_let_go_of():
    assert all_locations() == KNOWN
    assert [find_location(known.name) for known in KNOWN] == KNOWN
    assert find_location("none") is None
    assert default_location() == KNOWN[1]
    assert not db.session().in_transaction()


def test_a_place_is_that_of_its_location():
    found = find_place("s3-some", None)
    assert found == Place("bucket", "some/folder/", location="s3-some")
    assert (str(found.uri), found.shown) == ("s3://bucket/some/folder/", KNOWN[3].uri)
    assert all_places() == [Place("bucket", location="s3-all"), found]
    assert [place.shown for place in all_places()] == [KNOWN[2].uri, KNOWN[3].uri]
    assert locations_at("bucket") == ["s3-all", "s3-some"]
