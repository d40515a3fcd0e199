# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A sync of millions of objects: how much memory does its process take, and how long?

Starts PostgreSQL and lets a process of its own sync a made-up store, which lists objects as fast as
they are asked for: first into an empty bucket, and then again, when nothing has changed. Does so
for a small and for a large number of objects, each with its own database, and prints the peak of
the process's memory (VmHWM). Exits with 1 when the large number takes much more than the small one.

    python -m benchmarks.sync_memory [--small N] [--large N] [--there N]

``--there`` has the database itself write the versions of that many of the large number before the
first run, which then finds them unchanged: most of a first run's time is that of the inserts.
"""

from __future__ import annotations

import argparse
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
from uuid import UUID

from oarepo_s3.backends import ListedObject
from oarepo_s3.core.times import utcnow
from tests.services import Postgres

from .flat_memory import memory

MAY_GROW = 16
"""MiB that the large number may take more than the small one."""

NAME = "bench:mark"

MADE_UP = """
    lpad((n / 1000)::text, 8, '0') || '/file-' || lpad(n::text, 12, '0') || '.bin' AS key,
    ('00000000-0000-4000-8000-' || lpad(to_hex(n), 12, '0'))::uuid AS id, n AS size
    FROM generate_series(0, :there - 1) AS n
"""
FILL = (
    f"""
    INSERT INTO files_files
        (id, uri, storage_class, size, checksum, readable, writable, last_check, created, updated)
    SELECT id, 's3://made-up/bench/mark/' || key, 'S', size,
        'etag:' || lpad(to_hex(size), 32, '0'), true, false, true, now(), now()
    FROM (SELECT {MADE_UP}) AS made_up
    """,
    f"""
    INSERT INTO files_object (version_id, key, bucket_id, file_id, is_head, created, updated)
    SELECT id, key, :bucket, id, true, now(), now() FROM (SELECT {MADE_UP}) AS made_up
    """,
    f"""
    INSERT INTO files_objecttags (version_id, key, value)
    SELECT id, 'oarepo-s3-external', '2026-01-01T00:00:00Z' FROM (SELECT {MADE_UP}) AS made_up
    """,
    "ANALYZE files_object",
    "ANALYZE files_files",
)
"""What a sync of the first objects would have written."""


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


def sync(count: int, database: str, there: int) -> None:
    """Sync in this process; print what it took as a line of JSON."""
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
            fill(create_scope(NewScope(NAME, "default")).bucket_id, there)
        begun = time.perf_counter()
        counts = sync_scope(NAME).as_dict()
        spent = time.perf_counter() - begun
        peak = memory(os.getpid(), "VmHWM")
        print(json.dumps({"counts": counts, "seconds": spent, "peak": peak}))


def fill(bucket_id: UUID, there: int) -> None:
    """Write the versions of the first objects."""
    from invenio_db import db

    for statement in FILL if there else ():
        given = {"there": there, "bucket": str(bucket_id)}
        db.session.execute(db.text(statement), given)
    db.session.commit()


def measure(count: int, there: int, server: Postgres) -> list[dict[str, Any]]:
    """Sync so many objects twice, each time in a new process; return what the runs took."""
    name = f"sync_{count}"
    database = server.create_database(name)
    runs = []
    for wanted in (there, count):
        arguments = ["sync", str(count), database, str(there)]
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.sync_memory", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        run = json.loads(done.stdout.splitlines()[-1])
        found = run["counts"]["added"], run["counts"]["unchanged"]
        if found != (count - wanted, wanted):
            raise SystemExit(f"of {count} objects {wanted} should be unchanged: {run['counts']}")
        print(
            f"{count:9d} objects, {found[0]:9d} new: {run['seconds']:7.1f} s,"
            f" peak {run['peak']:6.1f} MiB",
            flush=True,
        )
        runs.append(run)
    server.drop_database(name)
    return runs


def compare(asked: argparse.Namespace, directory: Path) -> None:
    """Measure both numbers, and compare."""
    with Postgres(directory / "postgres") as server:
        few, many = measure(asked.small, 0, server), measure(asked.large, asked.there, server)
    grown = [other["peak"] - one["peak"] for one, other in zip(few, many, strict=True)]
    for name, more in zip(("first", "second"), grown, strict=True):
        print(f"{name} run: {more:+.1f} MiB (at most {MAY_GROW} wanted)")
    if max(grown) > MAY_GROW:
        raise SystemExit(1)


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Measure the memory that a sync takes.")
    parser.add_argument("--small", type=int, default=20_000)
    parser.add_argument("--large", type=int, default=2_000_000)
    parser.add_argument("--there", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    if sys.argv[1:2] == ["sync"]:
        sync(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            compare(arguments(), Path(scratch))
