# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What stores were found to be able to do: kept by ``invenio s3 check``, used by what starts after.

A profile is kept with the address at which it was tried. A bucket of the same name at another
address is another one, of which nothing is known.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from invenio_db import db

from ..backends import Profile
from ..core.times import utcnow
from ..core.uris import ObjectURI
from ..models import StoreProfile
from .transactions import committing

ADDRESS = "endpoint_url"
"""Under this name the address stands among the abilities."""


def place_of(uri: ObjectURI) -> str:
    """Return what a profile is kept for: the scheme and the bucket."""
    return f"{uri.scheme}://{uri.bucket}"


def keep_profile(place: str, endpoint_url: str | None, profile: Profile) -> None:
    """Keep what a store was found to be able to do, in place of what was kept before."""
    with committing():
        kept = db.session.get(StoreProfile, place) or StoreProfile(place=place)
        kept.abilities = {**profile.as_dict(), ADDRESS: endpoint_url}
        kept.checked_at = utcnow()
        db.session.add(kept)


def forget_kept_profile(place: str, *, dry_run: bool = False) -> bool:
    """Let the settings say again what a store can do; False when nothing was kept."""
    with committing():
        kept = db.session.get(StoreProfile, place)
        if kept is None:
            return False
        if not dry_run:
            db.session.delete(kept)
        return True


def kept_profile(place: str, endpoint_url: str | None) -> Profile | None:
    """Return what is kept of a store; None for nothing.

    :raises StoreMisconfigured: when what is kept cannot be read.
    """
    table = StoreProfile.__table__
    found = _ask(sa.select(table.c.abilities).where(table.c.place == place))
    if found is None or found.get(ADDRESS) != endpoint_url:
        return None
    return Profile.from_dict(found)


def _ask(query: sa.Select[Any]) -> Any:
    """Ask the database, and leave the session as it was.

    In the caller's transaction where there is one: on SQLite another connection might wait for it
    for ever. Else by a connection that is let go of at once: none begins here that would still be
    open when the store is called.
    """
    session = db.session()
    if session.in_transaction() and session.is_active:
        return session.connection().scalar(query)
    with db.engine.connect() as connection:
        return connection.scalar(query)
