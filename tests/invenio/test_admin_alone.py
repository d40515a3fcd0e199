# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The view in Flask-Admin without invenio-admin is open to nobody but administrators."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from flask import Flask, g
from flask_admin import Admin
from flask_principal import ActionNeed, AnonymousIdentity
from invenio_access.models import ActionUsers
from invenio_access.utils import get_identity
from invenio_admin.permissions import admin_permission_factory
from invenio_db import db

from oarepo_s3.admin import UploadView
from oarepo_s3.models import Upload


@pytest.fixture(scope="module", params=["sqlite"])
def place(request) -> str:
    """The database alone."""
    return request.param


@pytest.fixture(scope="module")
def store(place) -> None:
    """No store is needed."""


@pytest.fixture
def view() -> UploadView:
    """The view, as an application with Flask-Admin alone adds it."""
    admin = Admin(Flask("alone"))
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
