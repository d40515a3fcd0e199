# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A sync of millions of objects: how much memory does its process take, and how long?

Starts PostgreSQL and lets a process of its own sync a made-up store, which lists objects as fast as
they are asked for: first into an empty bucket, and then again, when nothing has changed. Does so
for a small and for a large number of objects, each with its own database, and prints the peak of
the process's memory (VmHWM). Exits with 1 when the large number takes much more than the small one.

    python -m benchmarks.sync_memory [SMALL [LARGE]]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oarepo_s3.backends import ListedObject
from oarepo_s3.core.times import utcnow
from tests.services import Postgres

from .flat_memory import memory

MAY_GROW = 16
"""MiB that the large number may take more than the small one."""


@dataclass
class MadeUp:
    """A store that lists so many objects, one after another."""

    count: int

    def list_objects(self, prefix: str, *, after: str = "") -> Iterator[ListedObject]:
        """Yield the objects, none of which exists before it is asked for."""
        now = utcnow()
        for number in range(self.count):
            key = f"{prefix}{number // 1000:08d}/file-{number:012d}.bin"
            yield ListedObject(key, number, f"{number:032x}", now)


def sync(count: int, database: str) -> None:
    """Sync twice in this process; print what each run took as a line of JSON."""
    from invenio_app.factory import create_api
    from invenio_db import db
    from invenio_files_rest.models import Location

    from oarepo_s3.services import NewScope, create_scope, sync_scope
    from oarepo_s3.services.context import UploadContext

    UploadContext.store = lambda context, uri: MadeUp(count)  # type: ignore[assignment, method-assign, return-value]
    app = create_api(
        SQLALCHEMY_DATABASE_URI=database, RATELIMIT_ENABLED=False, CACHE_TYPE="SimpleCache"
    )
    with app.app_context():
        if not db.inspect(db.engine).has_table("files_location"):
            db.create_all()
            db.session.add(Location(name="default", uri="s3://made-up", default=True))
            db.session.commit()
            create_scope(NewScope("bench:mark", "default"))
        begun = time.perf_counter()
        counts = sync_scope("bench:mark").as_dict()
        spent = time.perf_counter() - begun
        peak = memory(os.getpid(), "VmHWM")
        print(json.dumps({"counts": counts, "seconds": spent, "peak": peak}))


def measure(count: int, server: Postgres) -> list[dict[str, Any]]:
    """Sync so many objects twice, each time in a new process; return what the runs took."""
    name = f"sync_{count}"
    database = server.create_database(name)
    runs = []
    for wanted in ("added", "unchanged"):
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.sync_memory", "sync", str(count), database],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        run = json.loads(done.stdout.splitlines()[-1])
        if run["counts"][wanted] != count:
            raise SystemExit(f"{count} should be {wanted}: {run['counts']}")
        print(
            f"{count:9d} objects {wanted:9s} {run['seconds']:7.1f} s"
            f" {count / run['seconds']:7.0f} a second, peak {run['peak']:6.1f} MiB",
            flush=True,
        )
        runs.append(run)
    server.drop_database(name)
    return runs


def compare(small: int, large: int, directory: Path) -> None:
    """Measure both numbers, and compare."""
    with Postgres(directory / "postgres") as server:
        few, many = measure(small, server), measure(large, server)
    for name, one, other in zip(("first", "second"), few, many, strict=True):
        grown = other["peak"] - one["peak"]
        print(f"{name} run: {grown:+.1f} MiB (at most {MAY_GROW} wanted)")
        if grown > MAY_GROW:
            raise SystemExit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["sync"]:
        sync(int(sys.argv[2]), sys.argv[3])
    else:
        sizes = [int(argument) for argument in sys.argv[1:]]
        with tempfile.TemporaryDirectory() as scratch:
            compare(*[*sizes, 20_000, 2_000_000][:1], *[*sizes[1:], 2_000_000][:1], Path(scratch))
