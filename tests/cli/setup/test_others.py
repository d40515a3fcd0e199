# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Setup where other locations are: an instance has one store and one pair of keys for all."""

from __future__ import annotations

import json

import pytest
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.cli.setup_others import Access

from ...conftest import settings_for
from .kept import NOTHING, add_location, kept

OTHERS = [("old", "s3://old-bucket", False), ("older", "s3://older-bucket/sub", False)]


@pytest.fixture(scope="module")
def app_config(app_config, place, store):
    """An instance that knows its store."""
    app_config.update(settings_for(store))
    return app_config


@pytest.fixture(autouse=True)
def others(app, _no_locations):
    """Two locations at the store, and one that setup has nothing to do with."""
    for name, uri, default in OTHERS:
        add_location(uri, name=name, default=default, buckets=1)
    add_location("file:///data", name="disk")


@pytest.fixture
def changed(given, store):
    """Settings that are not those of the instance, by what is."""

    def change(what):
        address = store.endpoint_url.replace("127.0.0.1", "localhost")
        return {
            "key": {**given, "access_key": "another"},
            "address": {**given, "endpoint": address},
            "both": {**given, "access_key": "another", "endpoint": address},
            "found keys": {**given, "access_key": None, "secret_key": None},
            "aws": {**given, "profile": "aws", "endpoint": None},
        }[what]

    return change


def test_a_second_bucket_of_the_same_store_is_a_location(set_up, given, store, bucket_name, folder):
    said = set_up({**given, "endpoint": f"{store.endpoint_url}/"}).stdout
    assert f"Location files (s3://{bucket_name}, the default): written." in said
    assert ("files", f"s3://{bucket_name}", True) in kept(store, bucket_name, folder).locations


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["really", "dry"])
@pytest.mark.parametrize("what", ["key", "address", "both", "found keys", "aws"])
def test_settings_that_others_would_get_are_refused(
    set_up, changed, store, bucket_name, folder, what, dry_run
):
    settings = changed(what)
    result = set_up(settings, *dry_run, status=1)
    now = f"at {store.endpoint_url} with the access key {store.access_key}"
    address = settings["endpoint"] or "AWS in us-east-1"
    key = settings["access_key"]
    new = f"at {address} with {f'the access key {key}' if key else 'keys that the SDK finds'}"
    assert (
        "The locations old and older would have their files looked for"
        f" {new}, and no longer {now}: an instance has one address and one pair of keys for all"
        " its S3 locations." in result.stderr
    )
    assert "--all-locations" in result.stderr
    assert "disk" not in result.stderr
    assert store.secret_key not in result.output
    (told,) = json.loads(set_up(settings, "--json", *dry_run, status=1).stdout)["findings"]
    assert told["check"] == "locations"
    assert told["message"] in result.stderr
    after = kept(store, bucket_name, folder)
    assert {location[0] for location in after.locations} == {"old", "older", "disk"}
    after.locations = []
    assert after == NOTHING


def test_settings_for_all_are_taken_when_that_was_said(set_up, changed, store, folder, bucket_name):
    settings = changed("address")
    said = set_up(settings, "--all-locations").stdout
    assert "  invenio s3 check\n" in said, "the others have to be looked at, too"
    assert f'S3_ENDPOINT_URL = "{settings["endpoint"]}"' in (folder / "oarepo-s3.cfg").read_text()
    assert len(kept(store, bucket_name, folder).locations) == len(OTHERS) + 2


def test_the_only_location_may_get_other_settings(set_up, changed, bucket_name):
    for name, _, _ in OTHERS:
        Location.get_by_name(name).uri = f"file:///{name}"
    db.session.commit()
    said = set_up(changed("address")).stdout
    assert f"Location files (s3://{bucket_name}, the default): written." in said
    assert "  invenio s3 check files\n" in said


@pytest.mark.parametrize(
    ("endpoint", "new_region", "same"),
    [(None, "us-east-1", False), (None, None, True), ("http://store", "us-east-1", True)],
)
def test_the_region_says_where_files_are_at_aws_alone(endpoint, new_region, same):
    now = Access(endpoint, "eu-west-1", "key")
    assert now.reaches_the_same(Access(endpoint, new_region, "key")) is same
