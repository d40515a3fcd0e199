# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where a service's transactions begin and end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from invenio_db import db


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
        db.session.rollback()
        raise


def end_transaction() -> None:
    """Let go of the database before the store is asked; objects are read anew when looked at."""
    db.session.commit()
