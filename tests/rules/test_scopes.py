# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Scopes are made once, in places in which nobody else writes, and forgotten without a trace."""

from __future__ import annotations

import uuid
from threading import Barrier, Thread

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.core.errors import (
    BucketNotFound,
    InvalidLocation,
    InvalidScope,
    ScopeNotFound,
    ScopeTaken,
    UploadError,
)
from oarepo_s3.models import Scope
from oarepo_s3.services import (
    NewScope,
    create_scope,
    get_scope,
    list_scopes,
    remove_scope,
    scope_of_bucket,
    scope_uri,
)

ON_POSTGRES = pytest.mark.parametrize(
    "place", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


@pytest.fixture(autouse=True)
def _no_older_scopes(memory):
    db.session.execute(db.delete(Scope))
    db.session.commit()


@pytest.fixture
def place_below(location):
    """Make a location below the first one's URI."""
    made = []

    def make(path):
        made.append(Location(name=f"below-{len(made)}", uri=f"memory://rules/{path}"))
        db.session.add(made[-1])
        db.session.commit()
        return made[-1].name

    yield make
    db.session.rollback()
    for each in made:
        Bucket.query.filter_by(default_location=each.id).delete()
        db.session.delete(each)
    db.session.commit()


def made(name="user:data", **more):
    return create_scope(NewScope(name, **{"location": "default", **more}))


def refused(error, name="user:data", **more):
    """Make sure that a scope is refused, with or without writing."""
    for dry_run in (True, False):
        with pytest.raises(error) as caught:
            create_scope(NewScope(name, **{"location": "default", **more}), dry_run=dry_run)
    return str(caught.value)


def test_a_scope_has_a_bucket_in_its_location_and_a_prefix_by_its_name(location):
    scope = made("user.name:data", user_id=7)
    assert (scope.prefix, scope.user_id, scope.synced_at) == ("user.name/data", 7, None)
    assert scope_uri(scope) == "memory://rules/user.name/data/"
    assert Bucket.get(scope.bucket_id).location.name == "default"
    assert get_scope("user.name:data").id == scope.id
    assert scope_of_bucket(scope.bucket_id).id == scope.id


def test_the_bucket_can_be_one_that_is_there(bucket):
    assert made(bucket_id=bucket.id).bucket_id == bucket.id
    assert "that of the scope user:data" in refused(ScopeTaken, "other:data", bucket_id=bucket.id)


def test_the_same_scope_again_is_no_error_and_another_one_is(bucket):
    scope = made(prefix="data")
    buckets = Bucket.query.count()
    assert made(prefix="data/").id == scope.id
    assert made(prefix="data", bucket_id=scope.bucket_id).id == scope.id
    assert Bucket.query.count() == buckets
    for said, other in (
        ("another place", {"prefix": "x"}),
        ("another owner", {"user_id": 1}),
        ("another bucket", {"bucket_id": bucket.id}),
        ("another place and another owner", {"prefix": "x", "user_id": 1}),
    ):
        asked = {"prefix": "data", **other}
        assert f"is there already, with {said}. " in refused(ScopeTaken, **asked)


@pytest.mark.parametrize("prefix", ["a/b", "a", "a/b/c", ""])
def test_scopes_do_not_overlap(prefix):
    made("user:one", prefix="a/b")
    assert "user:one" in refused(ScopeTaken, "user:two", prefix=prefix)
    made("user:three", prefix="a/bc")


def test_nor_do_they_through_another_location(place_below):
    below = place_below("a")
    made("user:one", prefix="a/b")
    assert "user:one" in refused(ScopeTaken, "user:two", location=below, prefix="b/c")


@pytest.mark.parametrize("prefix", ["ab", "ab/cd", "oarepo-s3-forms", "oarepo-s3-forms/x"])
def test_a_scope_is_not_where_invenio_keeps_files(place_below, prefix):
    assert "location default" in refused(ScopeTaken, prefix=prefix)
    below = place_below("sub")
    assert f"location {below}" in refused(ScopeTaken, prefix=f"sub/{prefix}")


def test_nor_around_another_location(place_below):
    below = place_below("sub/a")
    assert below in refused(ScopeTaken, prefix="sub")
    assert below in refused(ScopeTaken, prefix="sub/a")
    assert below in refused(ScopeTaken, prefix="sub/a", user_id=1)
    assert below in refused(ScopeTaken, prefix="sub/a/ab")
    for owner in (7, None):
        assert below in refused(ScopeTaken, prefix="sub/a", user_id=owner)
    made(prefix="sub/b")


def test_a_whole_location_can_be_a_scope_of_nobody():
    assert "owner" in refused(InvalidScope, prefix="", user_id=1)
    assert scope_uri(made(prefix="")) == "memory://rules/"


def test_a_name_is_never_that_of_a_location():
    assert "'default'" in refused(InvalidScope, "default:data")


def test_what_is_not_there_is_named(nobody):
    refused(BucketNotFound, bucket_id=nobody)
    refused(InvalidLocation, location="nowhere")
    refused(InvalidScope, "no name")
    refused(InvalidScope, prefix="a" * 250)
    for name in ("user:data", "a\x00b", "a\ud800b"):
        with pytest.raises(ScopeNotFound):
            get_scope(name)


def test_a_location_without_a_back_end_has_no_scopes(database):
    db.session.add(Location(name="files", uri="/tmp/files"))
    db.session.commit()
    try:
        refused(InvalidLocation, location="files")
    finally:
        Location.query.filter_by(name="files").delete()
        db.session.commit()


def test_a_dry_run_writes_nothing():
    buckets = Bucket.query.count()
    assert create_scope(NewScope("user:data", "default"), dry_run=True) is None
    assert (list_scopes(), Bucket.query.count()) == ([], buckets)
    scope = made()
    assert create_scope(NewScope("user:data", "default"), dry_run=True).id == scope.id


def test_removing_forgets_the_scope_alone():
    bucket_id = made().bucket_id
    assert remove_scope("user:data", dry_run=True)
    assert [scope.name for scope in list_scopes()] == ["user:data"]
    assert remove_scope("user:data")
    assert not remove_scope("user:data")
    assert Bucket.get(bucket_id) is not None
    assert scope_of_bucket(bucket_id) is None
    assert made(bucket_id=bucket_id).bucket_id == bucket_id


@pytest.mark.parametrize(
    "place", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_of_two_that_overlap_and_are_made_at_once_one_is_made(app):
    barrier, results = Barrier(4), []

    def make(number):
        with app.app_context():
            barrier.wait()
            try:
                results.append(made(f"user:{number}", prefix="data").name)
            except UploadError as error:
                results.append(error.code)
            db.session.remove()

    threads = [Thread(target=make, args=[number]) for number in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert sorted(results)[:3] == ["scope_taken"] * 3
    assert [scope.name for scope in list_scopes()] == sorted(results)[3:]


def test_ids_are_uuids():
    assert isinstance(made().bucket_id, uuid.UUID)
