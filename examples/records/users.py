# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Users who log in with a header: ``Authorization: Bearer TOKEN``.

Do not copy this: these tokens can never be taken back. A real instance has the personal access
tokens of invenio-oauth2server, or the cookies of a login.
"""

from __future__ import annotations

from collections.abc import Iterable

from flask import Flask, Request, current_app
from invenio_accounts.models import User
from invenio_accounts.proxies import current_datastore
from invenio_db import db
from itsdangerous import BadSignature, URLSafeSerializer


def make_users(names: Iterable[str]) -> dict[str, str]:
    """Make users and return a token for each name."""
    tokens = {}
    for name in names:
        user = current_datastore.create_user(email=f"{name}@example.org", active=True)
        db.session.flush()
        tokens[name] = _signer(current_app).dumps(user.id)
    return tokens


def accept_tokens(app: Flask) -> None:
    """Let the application know who calls by the token in the header."""
    app.login_manager.request_loader(_find_user)


def _find_user(request: Request) -> User | None:
    authorization = request.authorization
    if authorization is None or authorization.type != "bearer" or not authorization.token:
        return None
    try:
        user_id = _signer(current_app).loads(authorization.token)
    except BadSignature:
        # Somebody without a valid token is nobody.
        return None
    return db.session.get(User, user_id)


def _signer(app: Flask) -> URLSafeSerializer:
    return URLSafeSerializer(app.secret_key, salt="example-token")
