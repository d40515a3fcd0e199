# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Write down what each run of a task came to, for whoever watches."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, ParamSpec, Protocol, TypeVar

import sqlalchemy as sa
from invenio_db import db
from sqlalchemy.exc import IntegrityError

from ..core.times import utcnow
from ..models import TaskRun
from .transactions import committing

logger = logging.getLogger(__name__)

Given = ParamSpec("Given")


class _Counts(Protocol):
    def as_dict(self) -> dict[str, Any]: ...


Result = TypeVar("Result", bound=_Counts)


def recorded(task: str) -> Callable[[Callable[Given, Result]], Callable[Given, Result]]:
    """Let each run of a function that comes to its end be logged, and kept as the task's last one.

    One that raises is not kept: the age of the last run then says that something is wrong.

    :param task: its name in the table and in the log.
    """

    def decorate(work: Callable[Given, Result]) -> Callable[Given, Result]:
        @wraps(work)
        def run(*args: Given.args, **kwargs: Given.kwargs) -> Result:
            began = time.monotonic()
            result = work(*args, **kwargs)
            _keep(task, time.monotonic() - began, _numbers(result.as_dict()))
            return result

        return run

    return decorate


def _numbers(counts: dict[str, Any]) -> dict[str, int]:
    """Return how many there are, where the counts name what they are."""
    return {name: len(it) if isinstance(it, list) else it for name, it in counts.items()}


def _keep(task: str, seconds: float, counts: dict[str, int]) -> None:
    values = {"finished_at": utcnow(), "seconds": seconds, "counts": counts}
    with committing():
        kept = db.session.execute(
            sa.update(TaskRun).where(TaskRun.task == task).values(values)
        ).rowcount
    if not kept:
        # Another worker may have written the first row of the task meanwhile: as good a last run.
        with suppress(IntegrityError), committing():
            db.session.execute(sa.insert(TaskRun).values(task=task, **values))
    logger.info(
        "The %s ran for %.1f s: %s.",
        task,
        seconds,
        ", ".join(f"{number} {name}" for name, number in counts.items()),
        extra={"action": "task_done", "task": task, "seconds": seconds, "counts": counts},
    )
