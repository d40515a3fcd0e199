# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which locations there are, and which of them commands take."""

from __future__ import annotations

import pytest
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.cli import s3
from oarepo_s3.cli.places import Place, all_places, find_place, locations_at
from oarepo_s3.services import KnownLocation, all_locations, default_location, find_location

KNOWN = [
    KnownLocation("a-disk", "/var/files", default=False),
    KnownLocation("a-server", "root://files/store", default=False),
    KnownLocation("default", "memory://rules", default=True),
    KnownLocation("s3-all", "s3://bucket", default=False),
    KnownLocation("s3-some", "s3://bucket/some/folder", default=False),
]

ALL, SOME = KNOWN[3:]


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
    assert default_location() == KNOWN[2]
    assert not db.session().in_transaction()


def test_a_place_is_that_of_its_location():
    found = find_place("s3-some", None)
    assert found == Place("bucket", "some/folder/", location="s3-some")
    assert (str(found.uri), found.shown) == ("s3://bucket/some/folder/", SOME.uri)
    assert all_places() == [Place("bucket", location="s3-all"), found]
    assert [place.shown for place in all_places()] == [ALL.uri, SOME.uri]
    assert locations_at("bucket") == ["s3-all", "s3-some"]


USER = "arn:aws:iam:::user/me"


@pytest.mark.parametrize("named", ["a-disk", "a-server", "default"])
@pytest.mark.parametrize(
    "command",
    [
        "policy cors --location",
        "policy cors --apply --location",
        "policy lifecycle --location",
        "policy server --location",
        "policy role --location",
        "policy session --location",
        f"policy trust --apply --principal {USER} --location",
        "bucket create --location",
        "bucket show --location",
        "bucket erase --location",
        "check",
    ],
)
def test_a_location_that_is_at_no_s3_store_is_refused_with_a_remedy(app, command, named):
    done = app.test_cli_runner().invoke(s3, [*command.split(), named])
    uri = find_location(named).uri
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        f"Error: The location {named} is not at an S3 store, but at {uri}: name another one, or"
        " make one with `invenio s3 setup`.\n"
    )


@pytest.mark.parametrize(
    "command", ["scopes create x:y --prefix x --location a-disk", "sync a-disk:x"]
)
def test_nobody_syncs_what_is_at_no_store(app, command):
    done = app.test_cli_runner().invoke(s3, command.split())
    db.session.rollback()
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == (
        "Error: /var/files/x/ is in no location that is at a store: name another one, or make one"
        " with `invenio s3 setup`. (invalid_location)\n"
    )


@pytest.mark.parametrize("command", ["policy cors", "bucket show", "scopes create a:b"])
def test_a_location_that_is_not_there_is_a_wrong_call(app, command):
    done = app.test_cli_runner().invoke(s3, [*command.split(), "--location", "none"])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "There is no location 'none'." in done.stderr
