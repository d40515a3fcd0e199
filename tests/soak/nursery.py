# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""One process that has the application in memory and forks web processes, workers and beat.

``python -m tests.soak.nursery`` takes orders as JSON, one a line, and answers each with a line. A
process that was killed is so replaced in a moment, as by the master of a prefork server. It is also
the only one that waits for its children, so a number that it kills can be nobody else's.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

import waitress
from celery.signals import task_failure, task_success
from flask_celeryext import create_celery_app
from sqlalchemy.orm import configure_mappers

from oarepo_s3.backends import StoreConfig
from oarepo_s3.backends.registry import find_factory

from .app import create_app, make_database
from .settings import Settings

_THREADS = 8
_PR_SET_PDEATHSIG = 1
_PATIENCE = 30


class Nursery:
    """The children by name, and what may be done with them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._app = create_app(settings)
        self._warm_up()
        self._celery = create_celery_app(self._app)
        self._pids: dict[str, int] = {}

    def _warm_up(self) -> None:
        """Read what each child would read first (seconds of it); no connection is made.

        The store is made without the application, which would ask the database for its profile.
        """
        configure_mappers()
        find_factory("s3")(self._settings.store_bucket, StoreConfig(region="us-east-1"))

    def obey(self, order: dict[str, Any]) -> Any:
        """Do one order and return the answer."""
        return getattr(self, order.pop("do"))(**order)

    def prepare(self) -> Any:
        """Make the database, in a child: no connection is there to be inherited."""
        path = self._settings.logs / "prepared.json"

        def work() -> None:
            with self._app.app_context():
                path.write_text(json.dumps(make_database(self._settings)))

        os.waitpid(self._fork("prepare", work), 0)
        return json.loads(path.read_text())

    def start(self, name: str, port: int | None = None) -> int:
        """Start a child; its name begins with what it is."""
        works = {"web": partial(self._serve, port), "worker": self._work, "beat": self._beat}
        self._pids[name] = self._fork(name, works[name.rstrip("0123456789")])
        return self._pids[name]

    def kill(self, name: str) -> bool:
        """Kill a child; False when it had ended by itself before."""
        pid = self._pids.pop(name)
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        return True

    def end(self, name: str) -> bool:
        """Let a child finish what it is doing; False when it had to be killed, or had ended."""
        pid = self._pids[name]
        if os.waitpid(pid, os.WNOHANG)[0]:
            del self._pids[name]
            return False
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            if os.waitpid(pid, os.WNOHANG)[0]:
                del self._pids[name]
                return True
            time.sleep(0.05)
        self.kill(name)
        return False

    def kill_all(self) -> None:
        """Leave nobody behind."""
        for name in list(self._pids):
            self.kill(name)

    def _fork(self, name: str, work: Callable[[], None]) -> int:
        parent = os.getpid()
        pid = os.fork()
        if pid:
            return pid
        try:
            # A nursery that dies takes its children along.
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() == parent:
                self._redirect(name)
                work()
        except BaseException:  # noqa: BLE001
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(1)

    def _redirect(self, name: str) -> None:
        """Write to a log of one's own, and read no orders."""
        log = os.open(self._settings.logs / f"{name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        logging.basicConfig(
            level=logging.INFO,
            format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
            force=True,
        )

    def _serve(self, port: int | None) -> None:
        waitress.serve(self._app, host="127.0.0.1", port=port, threads=_THREADS)

    def _work(self) -> None:
        """Take tasks, one at a time, in the process itself: what is killed is the work."""
        task_success.connect(self._note, weak=False)
        task_failure.connect(self._note, weak=False)
        options = ["--pool", "solo", "--loglevel", "INFO", "--hostname", f"{os.getpid()}@soak"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self._celery.worker_main(["worker", *options, *quiet])

    def _beat(self) -> None:
        schedule = self._settings.logs / "schedule"
        self._celery.Beat(schedule=str(schedule), loglevel="INFO", max_interval=1).run()

    def _note(self, sender: Any = None, result: Any = None, **more: Any) -> None:
        """Write down what a task has returned; the broker forgets it when it is restarted."""
        failed = repr(more["exception"]) if "exception" in more else None
        line = {"task": sender.name, "result": result, "failed": failed}
        with self._settings.results.open("a") as results:
            results.write(json.dumps(line, default=repr) + "\n")


def main() -> None:
    """Obey until the orders end."""
    answers = os.fdopen(os.dup(1), "w")
    # What libraries print is no answer.
    os.dup2(2, 1)
    # Ctrl-C is the script's affair: it closes the orders when it has done what it wants.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    nursery = Nursery(Settings.from_environment())
    with contextlib.ExitStack() as stack:
        stack.callback(nursery.kill_all)
        print(json.dumps("ready"), file=answers, flush=True)
        for line in sys.stdin:
            print(json.dumps(nursery.obey(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
