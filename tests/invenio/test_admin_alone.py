# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The view in Flask-Admin without invenio-admin: who gets in, and what a page of it costs."""

from __future__ import annotations

import uuid
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
from flask import Flask, g
from flask_admin import Admin
from flask_babel import Babel
from flask_principal import ActionNeed, AnonymousIdentity
from invenio_access.models import ActionUsers
from invenio_access.utils import get_identity
from invenio_admin.permissions import admin_permission_factory
from invenio_db import InvenioDB, db

from oarepo_s3.admin import UploadView
from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload


@pytest.fixture(scope="module", params=["sqlite"])
def place(request) -> str:
    """The database alone."""
    return request.param


@pytest.fixture(scope="module")
def store(place) -> None:
    """No store is needed."""


@pytest.fixture
def alone(app) -> Flask:
    """An application on the same database, which has Flask-Admin alone."""
    # On SQLite, a transaction that is open here would stop it.
    db.session.remove()
    made = Flask("alone")
    uri = app.config["SQLALCHEMY_DATABASE_URI"]
    made.config.update(SQLALCHEMY_DATABASE_URI=uri, SECRET_KEY="of sessions")
    # Flask-Admin translates where it finds the package, and it always does beside Invenio.
    for extension in (Babel, InvenioDB):
        extension(made)
    made.extensions["security"] = app.extensions["security"]
    return made


@pytest.fixture
def view(alone) -> UploadView:
    """The view, as such an application adds it."""
    admin = Admin(alone)
    made = UploadView(Upload, db.session)
    admin.add_view(made)
    return made


@pytest.mark.parametrize(
    ("actions", "may"), [([], False), (["admin-access"], True), (["superuser-access"], True)]
)
def test_who_may_see_it(app, view, actions, may):
    user = app.extensions["security"].datastore.create_user(
        email=f"{len(actions)}-{'-'.join(actions)}@example.org", active=True
    )
    db.session.flush()
    for action in actions:
        db.session.add(ActionUsers.allow(ActionNeed(action), user_id=user.id))
    db.session.commit()
    with app.test_request_context():
        g.identity = get_identity(user)
        assert view.is_accessible() is may


@pytest.mark.parametrize("invenio_admin", [False, True])
def test_somebody_who_is_not_logged_in_may_not(app, view, monkeypatch, invenio_admin):
    if invenio_admin:
        # It is there, but knows nothing of a view that was added to another Flask-Admin by hand.
        state = SimpleNamespace(permission_factory=admin_permission_factory)
        monkeypatch.setitem(app.extensions, "invenio-admin", state)
    with app.test_request_context():
        g.identity = AnonymousIdentity()
        assert view.is_accessible() is False


@pytest.fixture
def of_somebody(app):
    """Make an upload of somebody new: call it with the name of the file."""

    def make(key: str) -> str:
        email = f"of-{key}@example.org"
        user = app.extensions["security"].datastore.create_user(email=email)
        db.session.flush()
        ids = {"bucket_id": uuid.uuid4(), "file_id": uuid.uuid4(), "user_id": user.id}
        plan = {"size": 1, "part_size": 1, "num_parts": 1, "expires_at": utcnow()}
        db.session.add(Upload(key=key, uri="s3://bucket/key", token="secret", **ids, **plan))
        db.session.commit()
        return email

    return make


def test_a_page_of_many_uploads_asks_the_database_what_a_page_of_one_does(
    alone, view, of_somebody, monkeypatch
):
    monkeypatch.setattr(UploadView, "is_accessible", lambda view: True)
    statements = []

    def look() -> tuple[int, str]:
        statements.clear()
        page = alone.test_client().get(f"{view.url}/").text
        return len(statements), page

    with alone.test_request_context():
        sa.event.listen(db.engine, "before_cursor_execute", lambda *call: statements.append(call))
        owners = [of_somebody("0")]
        of_one, page = look()
        assert owners[0] in page
        owners += [of_somebody(str(number)) for number in range(1, view.page_size)]
        of_all, page = look()
        assert [owner for owner in owners if owner not in page] == []
    assert of_all == of_one > 0
