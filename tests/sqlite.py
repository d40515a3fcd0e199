# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Transactions on SQLite, as they are on other databases."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

_begin = {"statement": "BEGIN"}


def manage_transactions() -> None:
    """Let SQLAlchemy, not the driver, begin transactions on all connections from now on.

    Otherwise rolling back to a savepoint keeps the rows, and rollback tests lie.
    """
    sa.event.listen(sa.Engine, "connect", _leave_to_us)
    sa.event.listen(sa.Engine, "begin", _begin_one)


@contextlib.contextmanager
def writers_wait() -> Iterator[None]:
    """Let transactions that read and then write wait for each other, from their beginning."""
    _begin["statement"] = "BEGIN IMMEDIATE"
    yield
    _begin["statement"] = "BEGIN"


def _leave_to_us(connection: Any, record: Any) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.isolation_level = None
        # Nothing here has to survive a power cut.
        connection.execute("PRAGMA synchronous = OFF")


def _begin_one(connection: Any) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_begin["statement"])
