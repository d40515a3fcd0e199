# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Scopes: the prefixes that tools other than this package write to, and their buckets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from ..core.errors import BucketNotFound, InvalidLocation, InvalidScope, ScopeNotFound, ScopeTaken
from ..core.keys import FORMS_FOLDER
from ..core.names import UNFIT
from ..core.scopes import (
    Place,
    ScopeName,
    begins_like_a_file,
    check_prefix,
    is_like_a_file,
    overlap,
)
from ..models import Scope
from ..proxies import current_s3
from .transactions import committing, end_transaction


@dataclass(frozen=True, slots=True)
class NewScope:
    """What an operator asks for.

    :param name: ``scope:name``.
    :param location: name of the location of files-rest.
    :param prefix: below the location; None for the two halves of the name, empty for all of it.
    :param bucket_id: the files-rest bucket that gets the objects; None for a new one.
    :param user_id: who may ask for keys; None for nobody.
    """

    name: str
    location: str
    prefix: str | None = None
    bucket_id: UUID | None = None
    user_id: int | None = None


def get_scope(name: str) -> Scope:
    """Return the scope with this name.

    :raises ScopeNotFound: when there is none.
    """
    scope = find_scope(name)
    if scope is None:
        raise ScopeNotFound()
    return scope


def find_scope(name: str) -> Scope | None:
    """Return the scope with this name, or None."""
    if UNFIT.search(name):
        # Of halves of characters and NULs a database does not even take the question.
        return None
    return db.session.scalar(sa.select(Scope).where(Scope.name == name))


def scope_of_bucket(bucket_id: UUID) -> Scope | None:
    """Return the scope whose objects a bucket has; a bucket has at most one."""
    return db.session.scalar(sa.select(Scope).where(Scope.bucket_id == bucket_id))


def scope_of_place(place: Place) -> Scope | None:
    """Return the scope that is exactly this place, whatever its name is."""
    return db.session.scalar(
        sa.select(Scope).where(Scope.location_name == place.location, Scope.prefix == place.prefix)
    )


def list_scopes() -> list[Scope]:
    """Return all scopes, by name."""
    return list(db.session.scalars(sa.select(Scope).order_by(Scope.name)))


def scope_uri(scope: Scope) -> str:
    """Return what the URIs of a scope's objects begin with; it ends in a slash.

    :raises InvalidLocation: when its location is gone.
    """
    return place_uri(Place(scope.location_name, scope.prefix))


def place_uri(place: Place) -> str:
    """Return what the URIs of the objects of a place begin with; it ends in a slash.

    :raises InvalidLocation: when there is no such location.
    """
    location = Location.get_by_name(place.location)
    if location is None:
        raise InvalidLocation(uri=place.location)
    return _below(location.uri, place.prefix)


def create_scope(new: NewScope, *, dry_run: bool = False) -> Scope | None:
    """Make a scope, and a bucket for it unless one is named; the same one again is no error.

    :param dry_run: check everything, and write nothing.
    :returns: the scope; None when it would have to be made, and was not.
    :raises InvalidScope: for a name or a prefix that no scope can have.
    :raises InvalidLocation: when there is no such location, or no back end for it.
    :raises BucketNotFound: when there is no such bucket.
    :raises ScopeTaken: when the name, the place or the bucket is in use.
    """
    name = ScopeName.parse(new.name)
    if Location.get_by_name(name.scope) is not None:
        # The name would stand for two things: the scope, and a prefix in the location.
        raise InvalidScope(reason=f"{name.scope!r} is the name of a location")
    place = Place(new.location, name.prefix if new.prefix is None else check_prefix(new.prefix))
    if new.user_id is not None and not place.prefix:
        # Keys to it would open the files of everybody.
        raise InvalidScope(reason="a whole location has no owner")
    return _create(new, place, dry_run=dry_run)


def create_scope_of_place(place: Place, *, dry_run: bool = False) -> Scope | None:
    """Make a scope for a place, with the name of that and a new bucket; else as above."""
    return _create(NewScope(str(place), place.location), place, dry_run=dry_run)


def remove_scope(name: str, *, dry_run: bool = False) -> bool:
    """Forget a scope; its bucket, its versions and its objects stay. False when there is none."""
    with committing():
        scope = find_scope(name)
        if scope is not None and not dry_run:
            db.session.delete(scope)
    return scope is not None


def _create(new: NewScope, place: Place, *, dry_run: bool) -> Scope | None:
    end_transaction()
    with committing():
        if not dry_run:
            _lock_locations()
        uri = place_uri(place)
        current_s3.store(uri)
        scope = find_scope(new.name)
        if scope is not None:
            _require_same(scope, new, place)
            return scope
        _require_free(place, uri)
        bucket = _bucket_for(new)
        if dry_run:
            return None
        if bucket is None:
            bucket = Bucket.create(location=place.location)
        scope = Scope(
            name=new.name,
            location_name=place.location,
            prefix=place.prefix,
            bucket_id=bucket.id,
            user_id=new.user_id,
        )
        db.session.add(scope)
    return scope


def _lock_locations() -> None:
    """Let only one scope be made at a time, on every database: two could overlap."""
    db.session.execute(
        sa.update(Location).values(name=Location.name).execution_options(synchronize_session=False)
    )


def _require_same(scope: Scope, new: NewScope, place: Place) -> None:
    other = {
        "place": Place(scope.location_name, scope.prefix) != place,
        "owner": scope.user_id != new.user_id,
        "bucket": new.bucket_id not in (None, scope.bucket_id),
    }
    differs = [f"another {what}" for what, is_other in other.items() if is_other]
    if differs:
        raise ScopeTaken(reason=f"{scope.name} is there already, with {' and '.join(differs)}")


def _require_free(place: Place, uri: str) -> None:
    """Refuse a place in which others write: scopes, or Invenio itself.

    URIs are compared, and not prefixes: locations may lie in the same bucket of the store.
    """
    if len(uri) >= current_app.config["FILES_REST_FILE_URI_MAX_LEN"]:
        raise InvalidScope(reason="with such a long prefix no file would have a possible URI")
    locations = {location.name: _below(location.uri, "") for location in Location.all()}
    for scope in list_scopes():
        base = locations.get(scope.location_name)
        if base and overlap(uri, _below(base, scope.prefix)):
            raise ScopeTaken(reason=f"{place} overlaps with the scope {scope.name}")
    for name, base in locations.items():
        # A whole location is a scope of its own, which has no owner; by another name it is none.
        if base.startswith(uri) and (base != uri or place.prefix):
            raise ScopeTaken(reason=f"the location {name} lies in {place}")
        prefix = uri.removeprefix(base)
        if prefix != uri and (
            prefix.startswith(f"{FORMS_FOLDER}/") or begins_like_a_file(prefix, **_layout())
        ):
            raise ScopeTaken(reason=f"Invenio itself keeps files of the location {name} there")


def locations_in(uri: str) -> list[str]:
    """Return where locations lie in a place: what the keys of their files begin with there.

    One may be the place itself, or have been made after the scope.
    """
    bases = [_below(location.uri, "") for location in Location.all()]
    return sorted({base.removeprefix(uri) for base in bases if base.startswith(uri)})


def is_invenios(key: str, locations: Sequence[str]) -> bool:
    """Whether a key in a place is one that Invenio makes in a location there.

    :param locations: what :func:`locations_in` has returned of the place.
    """
    below = [key.removeprefix(base) for base in locations if key.startswith(base)]
    return any(
        each.startswith(f"{FORMS_FOLDER}/") or is_like_a_file(each, **_layout()) for each in below
    )


def _layout() -> dict[str, int]:
    config = current_app.config
    return {
        "dimensions": config["FILES_REST_STORAGE_PATH_DIMENSIONS"],
        "length": config["FILES_REST_STORAGE_PATH_SPLIT_LENGTH"],
    }


def _bucket_for(new: NewScope) -> Bucket | None:
    if new.bucket_id is None:
        return None
    bucket = Bucket.get(new.bucket_id)
    if bucket is None:
        raise BucketNotFound()
    other = scope_of_bucket(bucket.id)
    if other is not None:
        raise ScopeTaken(reason=f"the bucket is that of the scope {other.name}")
    return bucket


def _below(location_uri: str, prefix: str) -> str:
    base = f"{location_uri.rstrip('/')}/"
    return f"{base}{prefix}/" if prefix else base
