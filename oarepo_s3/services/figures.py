# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Figures for monitoring, asked of the database: right for all processes, and after a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa
from invenio_db import db

from ..core.states import FINAL_STATES, UploadState
from ..core.times import utcnow
from ..models import TaskRun, Upload

_FOR_THE_SWEEP = [UploadState.PENDING.value, UploadState.EXPIRED.value]


@dataclass(frozen=True, slots=True)
class Figures:
    """What the tables say at one moment.

    :param uploads: number of uploads by state, with those that have none.
    :param open_bytes: declared bytes of the uploads that have not ended.
    :param completed_bytes: bytes of all uploads that were ever completed.
    :param overdue: for how long the upload that waits longest for the sweep is over its time.
    :param runs: the last run of each task that ever ran.
    """

    uploads: dict[UploadState, int]
    open_bytes: int
    completed_bytes: int
    overdue: timedelta
    runs: Sequence[TaskRun]


def read_figures() -> Figures:
    """Return the figures, by three queries that read indices and a table of a few rows."""
    counts, sizes = dict.fromkeys(UploadState, 0), dict.fromkeys(UploadState, 0)
    for state, count, size in db.session.execute(
        sa.select(Upload.state, sa.func.count(), sa.func.sum(Upload.size)).group_by(Upload.state)
    ):
        counts[UploadState(state)], sizes[UploadState(state)] = count, int(size)
    ended = {*FINAL_STATES}
    return Figures(
        uploads=counts,
        open_bytes=sum(size for state, size in sizes.items() if state not in ended),
        completed_bytes=sizes[UploadState.COMPLETED],
        overdue=_overdue(),
        runs=db.session.scalars(sa.select(TaskRun).order_by(TaskRun.task)).all(),
    )


def _overdue() -> timedelta:
    oldest = db.session.scalar(
        sa.select(sa.func.min(Upload.expires_at)).where(Upload.state.in_(_FOR_THE_SWEEP))
    )
    return max(timedelta(0), utcnow() - oldest) if oldest else timedelta(0)
