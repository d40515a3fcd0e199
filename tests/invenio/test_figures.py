# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The figures for monitoring are cheap: PostgreSQL reads them from an index."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from invenio_db import db

from oarepo_s3.core.states import UploadState
from oarepo_s3.services import read_figures

pytestmark = pytest.mark.postgres

ROWS = 20_000

FILL = f"""
INSERT INTO oarepo_s3_upload
  (id, state, bucket_id, key, file_id, version_id, user_id, size, reserved, part_size, num_parts,
   content_type, uri, store_upload_id, token, etag, created_at, updated_at, expires_at)
SELECT gen_random_uuid(), CASE n % 100 WHEN 0 THEN 'pending' ELSE 'completed' END,
  gen_random_uuid(), 'measurement of 2026, number ' || n, gen_random_uuid(), gen_random_uuid(), 1,
  n, 0, 5242880, 1, 'application/octet-stream',
  's3://repository/' || repeat('0123456789', 8), '2~' || repeat('0123456789', 3),
  repeat('0123456789', 4), repeat('0123456789', 3) || '-1', now(), now(), now() + interval '1 day'
FROM generate_series(1, {ROWS}) AS n
"""
"""Rows as wide as those of real uploads are."""


@pytest.fixture(scope="module")
def place() -> str:
    """PostgreSQL alone: it is asked for its plans."""
    return "postgres"


@pytest.fixture(scope="module")
def store(place) -> None:
    """No store is needed."""


@pytest.fixture
def _many_uploads(app) -> None:
    """Uploads, most of them completed, as in a repository that has been in use for a while."""
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # VACUUM cannot know as visible to all what is not on the disk yet.
        connection.execute(sa.text("SET synchronous_commit = on"))
        connection.execute(sa.text(FILL))
        connection.execute(sa.text("VACUUM ANALYZE oarepo_s3_upload"))


@pytest.fixture
def plans() -> Iterator[list[str]]:
    """How each query about uploads was made, as PostgreSQL explains it."""
    found: list[str] = []

    def explain(connection, cursor, statement, parameters, context, executemany) -> None:
        if "oarepo_s3_upload" in statement and not statement.startswith("EXPLAIN"):
            cursor.execute(f"EXPLAIN {statement}", parameters)
            found.append("\n".join(line for (line,) in cursor.fetchall()))

    sa.event.listen(db.engine, "before_cursor_execute", explain)
    yield found
    sa.event.remove(db.engine, "before_cursor_execute", explain)


@pytest.mark.usefixtures("_many_uploads")
def test_uploads_are_counted_from_the_index_alone(plans):
    figures = read_figures()
    assert figures.uploads[UploadState.COMPLETED] == ROWS * 99 // 100
    assert figures.completed_bytes + figures.open_bytes == ROWS * (ROWS + 1) // 2
    assert len(plans) == 2
    for plan in plans:
        assert "Index Only Scan using ix_oarepo_s3_upload_state_expires_at_size" in plan
        assert "Seq Scan" not in plan
