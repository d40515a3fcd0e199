# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""When the tasks ran last, and what they found."""

from __future__ import annotations

from invenio_db import db


class TaskRun(db.Model):
    """The last run of a task that came to its end, in whatever process on whatever machine.

    The web server, which tells monitoring of it, is another process than the worker that ran.
    """

    __tablename__ = "oarepo_s3_taskrun"

    task = db.Column(db.String(32), primary_key=True)
    """``sweep``, ``recovery``, ``orphans``, ``verification``."""

    finished_at = db.Column(db.UTCDateTime, nullable=False)
    """Aware UTC time."""

    seconds = db.Column(db.Float, nullable=False)
    """How long it took."""

    counts = db.Column(db.JSON, nullable=False)
    """What the task returned, as numbers by name."""
