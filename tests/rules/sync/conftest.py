# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A scope, and what another tool puts into it."""

from __future__ import annotations

from datetime import timedelta

import pytest
import sqlalchemy as sa
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, ObjectVersion, ObjectVersionTag

from oarepo_s3.backends import Form
from oarepo_s3.models import Scope
from oarepo_s3.services import NewScope, create_scope

from .reports import NAME, PREFIX


@pytest.fixture(autouse=True)
def _no_older_scopes(memory):
    """Start without files: those of an earlier test have URIs that a test uses again."""
    for model in (Scope, ObjectVersionTag, ObjectVersion, FileInstance):
        db.session.execute(sa.delete(model))
    db.session.commit()


@pytest.fixture
def put(memory):
    """Do what another tool does: put an object into the store."""

    def put(key, content=b"content", prefix=f"{PREFIX}/"):
        form = Form("", {"key": f"{prefix}{key}", "size": str(len(content))}, timedelta(hours=1))
        memory.post_form(form, content)

    return put


@pytest.fixture
def scope(location):
    return create_scope(NewScope(NAME, "default"))


@pytest.fixture
def target(scope):
    """The bucket of the scope."""
    return Bucket.get(scope.bucket_id)


@pytest.fixture
def statements(database):
    """The statements that were sent to the database."""
    sent = []

    def note(connection, cursor, statement, *more):
        sent.append(statement)

    sa.event.listen(db.engine, "before_cursor_execute", note)
    yield sent
    sa.event.remove(db.engine, "before_cursor_execute", note)
