# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The alembic branch makes the same tables as the models, and can be taken back."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from invenio_db import db

from oarepo_s3.models import Upload

pytestmark = pytest.mark.postgres

TABLE = Upload.__tablename__


@pytest.fixture(scope="module")
def place() -> str:
    """PostgreSQL alone: reflection on SQLite does not tell a UUID from a number."""
    return "postgres"


@pytest.fixture(scope="module")
def store(place) -> None:
    """No store is needed."""


@pytest.fixture
def empty_database(appctx):
    """A database without tables."""
    db.drop_all()
    yield db.engine
    db.session.remove()
    with db.engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE IF EXISTS alembic_version"))
    db.drop_all()


def differences(app):
    """What alembic would change in our tables."""
    found = app.extensions["invenio-db"].alembic.compare_metadata()
    return [item for item in found if "oarepo_s3" in str(item)]


def test_the_branch_goes_up_and_down_and_matches_the_models(app_with_alembic, empty_database):
    app = app_with_alembic
    alembic = app.extensions["invenio-db"].alembic
    alembic.upgrade("oarepo_s3@head")
    inspector = sa.inspect(empty_database)
    assert inspector.has_table(TABLE)
    assert {index["name"] for index in inspector.get_indexes(TABLE)} == {
        index.name for index in Upload.__table__.indexes
    }
    assert differences(app) == []

    alembic.downgrade("oarepo_s3@5c1f0a7d2e41")
    assert not sa.inspect(empty_database).has_table(TABLE)


@pytest.fixture
def app_with_alembic(base_app, appctx):
    """The application without tables made by the models."""
    return base_app


def test_expired_uploads_are_found_by_an_index(app_with_alembic):
    db.create_all()
    query = sa.select(Upload.id).where(
        Upload.state == "pending", Upload.expires_at <= sa.func.now()
    )
    with db.engine.begin() as connection:
        connection.execute(sa.text("SET LOCAL enable_seqscan = off"))
        compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
        plan = "\n".join(connection.scalars(sa.text(f"EXPLAIN {compiled}")))
    db.drop_all()
    assert "ix_oarepo_s3_upload_state_expires_at" in plan
