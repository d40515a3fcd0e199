# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A Celery worker as a repository runs it: Invenio's own application, set up by the environment."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from celery import Celery

from ..services import Service, ServiceError
from ..services.process import clean_environment, stop_process

ROOT = Path(__file__).parents[2]
START_TIMEOUT = 90
SWEEP = "oarepo_s3.tasks.cleanup_expired_multipart_uploads"


class Worker(Service):
    """``celery -A invenio_app.celery worker``."""

    start_attempts = 1

    def __init__(
        self,
        directory: Path,
        settings: Mapping[str, Any],
        *,
        pool: str = "solo",
        level: str = "INFO",
        options: Sequence[str] = (),
    ) -> None:
        """Keep the log below ``directory``.

        :param settings: the application's settings.
        :param pool: Celery's pool: ``solo`` works in the worker itself, ``prefork`` in a child.
        :param level: level of its log.
        :param options: more options of ``celery worker``.
        """
        super().__init__(directory)
        self._settings = settings
        self._pool = pool
        self._level = level
        self._options = options

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The worker."""
        return self._processes[0]

    @property
    def log(self) -> str:
        """What it has said so far."""
        return (self.directory / "log" / "worker.log").read_text(errors="replace")

    def kill(self) -> None:
        """End it at once, as a lack of memory does."""
        self.process.kill()
        self.process.wait()

    def _launch(self) -> None:
        environment = {
            **clean_environment("INVENIO_", "AWS_", "CELERY_", "FLASK_"),
            **{f"INVENIO_{name}": str(value) for name, value in self._settings.items()},
            "INVENIO_INSTANCE_PATH": str(self.state),
            "PYTHONPATH": str(ROOT),
        }
        command = [sys.executable, "-m", "celery", "-A", "invenio_app.celery", "worker"]
        options = ["--pool", self._pool, "--concurrency", "1", "--loglevel", self._level]
        process = self._spawn("worker", [*command, *options, *self._options], env=environment)
        deadline = time.monotonic() + START_TIMEOUT
        while " ready." not in self.log:
            if process.poll() is not None or time.monotonic() > deadline:
                raise ServiceError("the worker did not get ready")
            time.sleep(0.05)

    def _stop_process(self, process: subprocess.Popen[bytes]) -> None:
        """End the worker, and children that would outlive one that was killed."""
        stop_process(process)
        # The worker began a session, so the group with its number holds nothing but its children.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def send(task: str, broker: str) -> None:
    """Send a task, as the beat does, from an application of its own."""
    sender = Celery(broker=broker, set_as_current=False)
    with sender.connection_for_write() as connection:
        sender.send_task(task, connection=connection, ignore_result=True)
    sender.close()
