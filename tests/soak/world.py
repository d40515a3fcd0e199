# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The servers of a soak, the application's processes, and the proxies between them.

Two proxies stand before the store. The application's control calls go by one, the clients' parts by
the other (``OAREPO_S3_PUBLIC_ENDPOINT_URL``): so a fault hits the one or the other, and bytes are
counted for parts and for calls apart. One stands before the database. One stands before the broker,
because a server that is started again is on another port.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import boto3
import sqlalchemy as sa
from botocore.config import Config
from sqlalchemy.engine import make_url

from tests.services import CephRGW, FaultProxy, Postgres, ServiceError, Valkey, free_port
from tests.services.process import HOST, clean_environment, stop_process

from .settings import ROOT, Settings

STORE_BUCKET = "soak"
WEB = ("web1", "web2")
WORKERS = ("worker1", "worker2")
BEAT = "beat"
_PATIENCE = 90


class Children:
    """The nursery's side that gives the orders; safe to use from several threads."""

    def __init__(self, settings: Settings) -> None:
        self._log = (settings.logs / "nursery.log").open("wb")
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.soak.nursery"],
            cwd=ROOT,
            env={
                **clean_environment("INVENIO_", "AWS_", "CELERY_", "FLASK_", "http", "HTTP"),
                **settings.environment(),
                "PYTHONPATH": str(ROOT),
                "AWS_CONFIG_FILE": os.devnull,
                "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            # A Ctrl-C in the terminal is for the script alone.
            start_new_session=True,
        )

    def wait(self) -> Any:
        """Return the next answer.

        :raises ServiceError: when there is none.
        """
        answers = self._process.stdout
        ready = answers is not None and select.select([answers], [], [], _PATIENCE)[0]
        line = answers.readline() if answers is not None and ready else b""
        if not line:
            raise ServiceError("the nursery of web processes and workers does not answer")
        return json.loads(line)

    def order(self, do: str, **more: Any) -> Any:
        """Give an order and return its answer."""
        with self._lock:
            orders = self._process.stdin
            if orders is None or orders.closed:
                raise ServiceError("the nursery is closed")
            orders.write(json.dumps({"do": do, **more}).encode() + b"\n")
            orders.flush()
            return self.wait()

    def close(self) -> None:
        """End them all."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        try:
            # It sees the end of its orders, and kills whom it has started.
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            stop_process(self._process)
        self._log.close()


class World:
    """Everything that runs; the end of the block stops all of it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stack = contextlib.ExitStack()
        self.ports = {name: free_port() for name in WEB}
        self.died: list[str] = []
        """Children that ended before they were told to."""

    def __enter__(self) -> World:
        with contextlib.ExitStack() as stack:
            self._start(stack)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stack.close()

    def _start(self, stack: contextlib.ExitStack) -> None:
        postgres = stack.enter_context(Postgres(self._directory / "postgres"))
        self.broker = stack.enter_context(Valkey(self._directory / "broker"))
        self.ceph = stack.enter_context(CephRGW(self._directory / "ceph"))
        self.store_proxy = stack.enter_context(FaultProxy(self.ceph.port))
        self.client_proxy = stack.enter_context(FaultProxy(self.ceph.port))
        self.database_proxy = stack.enter_context(FaultProxy(postgres.port))
        self.broker_proxy = stack.enter_context(FaultProxy(self.broker.port))
        database = postgres.create_database("soak")
        self.settings = Settings(
            database=make_url(database).set(port=self.database_proxy.port).render_as_string(),
            broker=f"redis://{HOST}:{self.broker_proxy.port}/0",
            store=self.store_proxy.endpoint_url,
            public=self.client_proxy.endpoint_url,
            access_key=self.ceph.access_key,
            secret_key=self.ceph.secret_key,
            store_bucket=STORE_BUCKET,
            directory=str(self._directory),
        )
        self.settings.logs.mkdir()
        self.engine = sa.create_engine(database, isolation_level="AUTOCOMMIT")
        stack.callback(self.engine.dispose)
        self.s3 = self._client()
        self.s3.create_bucket(Bucket=STORE_BUCKET)
        self.children = Children(self.settings)
        stack.callback(self.children.close)
        self.children.wait()
        prepared = self.children.order("prepare")
        self.buckets: list[str] = prepared["buckets"]
        self.users: list[int] = prepared["users"]
        for name in (*WEB, *WORKERS, BEAT):
            self.start(name)

    def _client(self) -> Any:
        """Return a client of the store that no fault stands before: a witness."""
        return boto3.client(
            "s3",
            endpoint_url=self.ceph.endpoint_url,
            aws_access_key_id=self.ceph.access_key,
            aws_secret_access_key=self.ceph.secret_key,
            region_name="us-east-1",
            config=Config(s3={"addressing_style": "path"}, max_pool_connections=20),
        )

    def start(self, name: str) -> None:
        """Start a web process, a worker or beat."""
        self.children.order("start", name=name, port=self.ports.get(name))

    def kill(self, name: str) -> None:
        """Kill it."""
        if not self.children.order("kill", name=name):
            self.died.append(name)

    def end(self, name: str) -> None:
        """Let it end what it is doing, and end it."""
        if not self.children.order("end", name=name):
            self.died.append(name)

    def stop_broker(self) -> None:
        """Stop the broker; what it knew is gone."""
        self.broker.stop()

    def start_broker(self) -> None:
        """Start the broker again, where its proxy is."""
        self.broker.start()
        self.broker_proxy.upstream_port = self.broker.port

    def sql(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Run one statement of SQL and return its rows, if it has any."""
        with self.engine.connect() as connection:
            result = connection.execute(sa.text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def results(self) -> list[dict[str, Any]]:
        """Return what the tasks have returned; a killed worker may have left half a line."""
        lines = self.settings.results.read_text().splitlines() if self._has_results() else []
        found = []
        for line in lines:
            with contextlib.suppress(ValueError):
                found.append(json.loads(line))
        return found

    def _has_results(self) -> bool:
        return self.settings.results.exists()
