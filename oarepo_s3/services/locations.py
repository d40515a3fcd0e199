# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The locations of invenio-files-rest: what may become of one."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from .transactions import committing, end_transaction


class LocationInUse(Exception):
    """A location that has buckets shall get another URI: their files would be looked for there."""


@dataclass(frozen=True, slots=True)
class KnownLocation:
    """A location as it is; its URI has no slash at the end."""

    name: str
    uri: str
    default: bool


def all_locations() -> list[KnownLocation]:
    """Return all locations, by name; no transaction is open afterwards."""
    found = db.session.scalars(sa.select(Location).order_by(Location.name))
    known = [KnownLocation(each.name, _bare(each.uri), default=each.default) for each in found]
    end_transaction()
    return known


def find_location(name: str) -> KnownLocation | None:
    """Return the location with this name, or None; no transaction is open afterwards."""
    return next((known for known in all_locations() if known.name == name), None)


def default_location() -> KnownLocation | None:
    """Return the location of new files, or None when there is none, as above."""
    return next((known for known in all_locations() if known.default), None)


def location_differs(name: str, uri: str, *, default: bool) -> bool:
    """Whether :func:`set_location` would change anything.

    :raises LocationInUse: when the location has another URI, and buckets.
    """
    location = Location.get_by_name(name)
    if location is None:
        differs = True
    else:
        moves = _bare(location.uri) != _bare(uri)
        if moves and _has_buckets(location):
            raise LocationInUse(
                f"The location {name} is {location.uri}, and has buckets there: it cannot become"
                f" {uri}. Choose another name."
            )
        differs = moves or (default and not location.default)
    end_transaction()
    return differs


def set_location(name: str, uri: str, *, default: bool) -> bool:
    """Make or change a location; return whether anything had to be done.

    :param default: whether it becomes the place of new files; without it, what is stays.
    :raises LocationInUse: when it has another URI, and buckets.
    """
    if not location_differs(name, uri, default=default):
        return False
    with committing():
        location = Location.get_by_name(name)
        if location is None:
            location = Location(name=name, uri=uri, default=False)
            db.session.add(location)
        elif _bare(location.uri) != _bare(uri):
            location.uri = uri
        if default and not location.default:
            for other in db.session.scalars(sa.select(Location).where(Location.default.is_(True))):
                other.default = False
            location.default = True
    return True


def _has_buckets(location: Location) -> bool:
    buckets = sa.exists().where(Bucket.default_location == location.id)
    return bool(db.session.scalar(sa.select(buckets)))


def _bare(uri: str) -> str:
    return uri.rstrip("/")
