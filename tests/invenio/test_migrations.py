# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The alembic branch makes the same tables as the models, and can be taken back."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa
from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Grant, Scope, StoreProfile, TaskRun, Upload, UploadToken

pytestmark = pytest.mark.postgres

TABLES = tuple(
    model.__table__ for model in (Grant, Scope, StoreProfile, TaskRun, Upload, UploadToken)
)


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
    for table in TABLES:
        assert inspector.has_table(table.name)
        # PostgreSQL lists the index of a unique constraint as well.
        made = {
            index["name"]
            for index in inspector.get_indexes(table.name)
            if not index.get("duplicates_constraint")
        }
        assert made == {index.name for index in table.indexes}
    assert differences(app) == []

    alembic.downgrade("oarepo_s3@5c1f0a7d2e41")
    inspector = sa.inspect(empty_database)
    assert [table.name for table in TABLES if inspector.has_table(table.name)] == []


def test_the_table_of_tokens_comes_and_goes_beside_uploads(app_with_alembic, empty_database):
    alembic = app_with_alembic.extensions["invenio-db"].alembic
    alembic.upgrade("oarepo_s3@e4c61f08a7d5")
    with empty_database.begin() as connection:
        connection.execute(sa.insert(Upload.__table__).values(some_upload()))
    for move, there in (("upgrade", True), ("downgrade", False), ("upgrade", True)):
        getattr(alembic, move)("oarepo_s3@head" if there else "oarepo_s3@e4c61f08a7d5")
        assert sa.inspect(empty_database).has_table(UploadToken.__tablename__) is there
    with empty_database.begin() as connection:
        assert connection.scalar(sa.select(sa.func.count()).select_from(Upload)) == 1
    alembic.downgrade("oarepo_s3@5c1f0a7d2e41")


def some_upload():
    """Return the values of a row."""
    now = utcnow()
    ids = {name: uuid.uuid4() for name in ("id", "bucket_id", "file_id")}
    sizes = {"size": 1, "reserved": 1, "part_size": 1, "num_parts": 1}
    texts = {"state": "pending", "key": "a", "uri": "s3://b/k", "token": "t"}
    times = dict.fromkeys(("created_at", "updated_at", "expires_at"), now)
    return {**ids, **sizes, **texts, **times}


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
