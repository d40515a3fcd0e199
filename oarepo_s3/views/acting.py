# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Act as the user of an upload token, for as long as it takes to answer.

As a login by a token does it: Flask-Login gets its user and Flask-Principal its identity, so that
all permissions are asked as ever. Other than a login it leaves nothing behind, and takes nothing of
the session that the browser may have sent along, which can be somebody else's: what modules of
Invenio keep in a session (roles, groups) would be given to the wrong one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import g, session
from flask_principal import Identity, identity_changed
from invenio_accounts.proxies import current_datastore

from ..core.errors import TokenNotValid
from ..proxies import current_s3


@contextmanager
def acting_as(user_id: int) -> Iterator[None]:
    """Let the block act as a user, and nothing after it.

    :raises TokenNotValid: when there is no such user any more, or not an active one.
    """
    user = current_datastore.find_user(id=user_id)
    if user is None or not user.active:
        raise TokenNotValid(reason="the account of its user is not active")
    kept, modified = dict(session), session.modified
    before = {name: g.pop(name) for name in ("_login_user", "identity") if name in g}
    session.clear()
    try:
        g._login_user = user
        identity_changed.send(current_s3.app, identity=Identity(user.id))
        yield
    finally:
        for name in ("_login_user", "identity"):
            g.pop(name, None)
        for name, value in before.items():
            setattr(g, name, value)
        session.clear()
        session.update(kept)
        session.modified = modified
