# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where a service's transactions begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invenio_db import db
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError


@contextmanager
def committing() -> Iterator[None]:
    """Commit what the block did, or none of it.

    A service that fails leaves nothing half-done in the session, which a later commit in the same
    context (a task, a command) would write.
    """
    try:
        yield
        db.session.commit()
    except BaseException:
        roll_back()
        raise


def roll_back() -> None:
    """Roll back, also when the connection to the database has broken.

    On each rollback SQLAlchemy-Continuum (1.5) compares the connection with those on which other
    threads are at work, and asks the broken one for what it has no more: the error of that would
    take the place of the one that says what happened. The transaction is over all the same.
    """
    try:
        db.session.rollback()
    except (InterfaceError, OperationalError, PendingRollbackError):
        db.session.close()


def end_transaction() -> None:
    """Let go of the database before the store is asked; objects are read anew when looked at."""
    db.session.commit()
