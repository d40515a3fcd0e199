# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The four servers of the demo, as children that end with it.

The store and the broker are those of the tests. The REST API and the worker are started here, with
an environment in which nothing of the caller's own configuration is left: the demo must not end up
at a real store or database.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from tests.services import RcloneS3, Service, ServiceError, Valkey, free_port, wait_for_port
from tests.services.process import HOST, clean_environment, stop_process

from .interrupts import Interrupts
from .progress import Step
from .settings import Settings

STORE_BUCKET = "demo"
_START_TIMEOUT = 90
_LOG_TAIL_LINES = 25


class Store(RcloneS3):
    """The tests' S3 server with a bucket, for files of any size."""

    def __init__(self, directory: Path, *, streaming: bool, allow_origin: str) -> None:
        """Keep the buckets below ``directory``.

        :param allow_origin: the origin of the page that sends parts.
        :param streaming: write parts to disk as they come: memory stays flat, but no part can be
            sent again with other bytes, and none may be left out. Otherwise parts stay in memory.
        """
        super().__init__(directory, buckets=[STORE_BUCKET], allow_origin=allow_origin)
        self._streaming = streaming

    def _arguments(self) -> list[str]:
        unwanted = {"--disable-multipart-streaming"} if self._streaming else set()
        return [argument for argument in super()._arguments() if argument not in unwanted]


class PythonServer(Service):
    """A process of ours that runs the repository's application."""

    def __init__(
        self, directory: Path, environment: dict[str, str], interrupts: Interrupts
    ) -> None:
        """Keep the log below ``directory``."""
        super().__init__(directory)
        self._environment = environment
        self._interrupts = interrupts

    def _python(self, name: str, *arguments: str) -> subprocess.Popen[bytes]:
        # Only the start is protected: waiting for the application may be interrupted.
        with self._interrupts.held():
            command = [sys.executable, "-P", "-m", *arguments]
            return self._spawn(name, command, env=self._environment)


class Web(PythonServer):
    """The REST API."""

    def __init__(
        self, directory: Path, environment: dict[str, str], interrupts: Interrupts, port: int
    ) -> None:
        """Serve ``port``."""
        super().__init__(directory, environment, interrupts)
        self.port = port

    def _launch(self) -> None:
        process = self._python("api", "demo.web")
        wait_for_port(self.port, _START_TIMEOUT, process)


class Worker(PythonServer):
    """The Celery worker with its clock; ``wait`` tells when it is ready."""

    def _launch(self) -> None:
        # --pool solo: tasks run in the worker itself, so there are no further processes but beat.
        options = ["--beat", "--pool", "solo", "--loglevel", "INFO", "--schedule", "schedule"]
        quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
        self._python("worker", "celery", "-A", "demo.worker", "worker", *options, *quiet)

    def _stop_process(self, process: subprocess.Popen[bytes]) -> None:
        """End the worker, and beat with it: a child that would outlive a worker that was killed."""
        stop_process(process)
        # The worker began a session, so the group with its number holds nothing but its children.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Repository:
    """The servers, running."""

    api: str
    """Address of the REST API."""
    made: dict[str, str]
    """What the application made at the start: ids, or tokens."""
    store: str
    """Address of the S3 server."""
    services: dict[str, Service]

    def find_dead(self) -> str | None:
        """Say which server has ended by itself and what it said last, or None."""
        for name, service in self.services.items():
            if (status := _exit_status(service)) is not None:
                return f"the {name} has ended by itself ({status}){log_tail(service)}"
        return None


def start(
    stack: contextlib.ExitStack,
    directory: Path,
    *,
    application: str,
    port: int | None,
    streaming: bool,
    interrupts: Interrupts,
    running: Step,
) -> Repository:
    """Start everything below ``directory``; the end of ``stack`` stops it in reverse order.

    :param application: see :class:`~demo.settings.Settings`.
    :param port: port of the REST API; None for a free one.
    :param streaming: see :class:`Store`.
    :raises ServiceError: when a server does not start.
    :raises Missing: when its program is not installed.
    """
    if port is not None:
        _check_free(port)
    port = port or free_port()
    origin = f"http://{HOST}:{port}"
    store = Store(directory / "store", streaming=streaming, allow_origin=origin)
    broker = Valkey(directory / "broker")
    for name, service in {"S3 server": store, "broker": broker}.items():
        running.show(f"{name} ...")
        with interrupts.held():
            stack.enter_context(service)
    settings = Settings(
        application=application,
        instance=str(directory / "instance"),
        host=HOST,
        port=port,
        store=store.endpoint_url,
        access_key=store.access_key,
        secret_key=store.secret_key,
        store_bucket=STORE_BUCKET,
        broker=broker.url,
        secret=secrets.token_hex(),
    )
    Path(settings.instance).mkdir()
    # The worker takes seconds to start, as the API does: both at once.
    running.show("REST API and worker ...")
    environment = _environment(settings)
    worker = stack.enter_context(Worker(directory / "worker", environment, interrupts))
    web = stack.enter_context(Web(directory / "api", environment, interrupts, settings.port))
    repository = Repository(
        api=settings.api,
        made=json.loads(settings.handover_file.read_text()),
        store=store.endpoint_url,
        services={"S3 server": store, "broker": broker, "REST API": web, "worker": worker},
    )
    _wait_for_worker(repository, settings.ready_file)
    return repository


def log_tail(service: Service) -> str:
    """Return the last lines of a server's log, each on a line of its own."""
    lines: list[str] = []
    for log in sorted((service.directory / "log").glob("*.log")):
        lines += log.read_text(errors="replace").splitlines()[-_LOG_TAIL_LINES:]
    return "".join(f"\n    {line}" for line in lines)


def _environment(settings: Settings) -> dict[str, str]:
    proxies = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    return {
        **clean_environment("INVENIO_", "AWS_", "CELERY_", "FLASK_", *proxies),
        # The SDK would otherwise read the caller's own profiles.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        **settings.environment(),
    }


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        # As the server will: connections of an earlier run that still linger are no hindrance.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise ServiceError(f"port {port} cannot be used: {error.strerror}") from error


def _wait_for_worker(repository: Repository, ready: Path) -> None:
    deadline = time.monotonic() + _START_TIMEOUT
    while not ready.exists():
        if dead := repository.find_dead():
            raise ServiceError(dead)
        if time.monotonic() > deadline:
            tail = log_tail(repository.services["worker"])
            raise ServiceError(f"the worker was not ready in {_START_TIMEOUT} s{tail}")
        time.sleep(0.05)


def _exit_status(service: Service) -> str | None:
    """Return how one of a server's processes has ended, without taking note of it for the server.

    WNOWAIT leaves the status, and with it the process's number, to whoever stops the server.
    """
    for pid in service.pids:
        ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if ended is not None:
            by_signal = ended.si_code != os.CLD_EXITED
            return f"signal {ended.si_status}" if by_signal else f"status {ended.si_status}"
    return None
