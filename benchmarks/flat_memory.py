# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""One large file through a real repository: how much of it does the API process see?

Starts Ceph RGW, PostgreSQL and the REST API in a process of its own, uploads a file in parallel
parts, downloads it by the redirect and compares. Prints the API process's memory before, at its
peak and after, and the bytes of all request bodies that it received.

    python -m benchmarks.flat_memory [MiB]
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import urllib3

from tests.services import CephRGW, Postgres

MIB = 2**20
THREADS = 4
BUCKET = "flat"


def serve(settings: dict[str, Any]) -> None:
    """Run the REST API; the first line of the output says where, and which bucket to use."""
    from invenio_app.factory import create_api
    from invenio_db import db
    from invenio_files_rest.models import Bucket, Location
    from waitress import create_server

    app = create_api(**settings, FILES_REST_PERMISSION_FACTORY=lambda obj, action: None)
    with app.app_context():
        db.create_all()
        db.session.add(Location(name="default", uri=f"s3://{BUCKET}", default=True))
        db.session.flush()
        bucket = str(Bucket.create().id)
        db.session.commit()
        db.session.remove()
    received = {"bytes": 0, "requests": 0}

    def counting(environ: dict[str, Any], start_response: Any) -> Any:
        received["bytes"] += int(environ.get("CONTENT_LENGTH") or 0)
        received["requests"] += 1
        if environ["PATH_INFO"] == "/received":
            start_response("200 OK", [("Content-Type", "application/json")])
            return [json.dumps(received).encode()]
        return app(environ, start_response)

    server = create_server(counting, host="127.0.0.1", port=0, threads=THREADS)
    print(json.dumps({"port": server.effective_port, "bucket": bucket}), flush=True)
    server.run()


def memory(pid: int, field: str = "VmRSS") -> float:
    """Return a process's memory in MiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(field):
            return int(line.split()[1]) / 1024
    raise LookupError(field)


def content(part: int, length: int) -> bytes:
    """Return the bytes of a part: different for each, and cheap."""
    return hashlib.sha256(str(part).encode()).digest() * (length // 32)


def upload(http: urllib3.PoolManager, api: str, bucket: str, size: int) -> tuple[str, float]:
    """Send the file; return its SHA-256 and the seconds it took."""
    begun = time.perf_counter()
    body = {"bucket": bucket, "key": "large.bin", "size": size}
    session = http.request("POST", f"{api}/multipart-uploads", json=body).json()
    step = session["part_size"]

    def send(part: int) -> None:
        asked = http.request("GET", f"{session['links']['urls']}?parts={part}").json()
        answer = http.request("PUT", asked["urls"][0]["url"], body=content(part, step))
        if answer.status != 200:
            raise RuntimeError(f"part {part}: {answer.status}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(send, range(1, session["num_parts"] + 1)))
    done = http.request("POST", session["links"]["complete"])
    if done.status != 200:
        raise RuntimeError(done.data.decode())
    spent = time.perf_counter() - begun
    digest = hashlib.sha256()
    for part in range(1, session["num_parts"] + 1):
        digest.update(content(part, step))
    return digest.hexdigest(), spent


def download(http: urllib3.PoolManager, api: str, bucket: str) -> str:
    """Fetch the file by the redirect; return its SHA-256."""
    answer = http.request("GET", f"{api}/files/{bucket}/large.bin", redirect=False)
    stream = http.request("GET", answer.headers["Location"], preload_content=False)
    digest = hashlib.sha256()
    for piece in stream.stream(MIB):
        digest.update(piece)
    return digest.hexdigest()


def measure(size: int, directory: Path) -> None:
    """Run it all and print the figures."""
    with CephRGW(directory / "ceph") as ceph, Postgres(directory / "postgres") as postgres:
        import boto3

        boto3.client(
            "s3",
            endpoint_url=ceph.endpoint_url,
            aws_access_key_id=ceph.access_key,
            aws_secret_access_key=ceph.secret_key,
        ).create_bucket(Bucket=BUCKET)
        settings = {
            "SQLALCHEMY_DATABASE_URI": postgres.create_database("flat"),
            "FILES_REST_STORAGE_FACTORY": "oarepo_s3.storage.s3_storage_factory",
            "S3_ENDPOINT_URL": ceph.endpoint_url,
            "S3_ACCESS_KEY_ID": ceph.access_key,
            "S3_SECRET_ACCESS_KEY": ceph.secret_key,
            "S3_REGION_NAME": "us-east-1",
            "REST_CSRF_ENABLED": False,
            "RATELIMIT_ENABLED": False,
            "APP_ENABLE_SECURE_HEADERS": False,
            "CACHE_TYPE": "SimpleCache",
            "SECRET_KEY": "benchmark",
        }
        server = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.flat_memory", "serve"],
            env={**os.environ, "BENCHMARK_SETTINGS": json.dumps(settings)},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            report(server, size)
        finally:
            server.terminate()
            server.wait(30)


def report(server: subprocess.Popen[str], size: int) -> None:
    """Upload to the server and print what it cost its process."""
    where = json.loads(server.stdout.readline()) if server.stdout else {}
    api = f"http://127.0.0.1:{where['port']}"
    http = urllib3.PoolManager(maxsize=THREADS, retries=False)
    upload(http, api, where["bucket"], 16 * MIB)  # whatever is loaded once is loaded now
    before = memory(server.pid)
    seen, over = [before], threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            seen.append(memory(server.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    sent, spent = upload(http, api, where["bucket"], size)
    over.set()
    watcher.join()
    got = download(http, api, where["bucket"])
    received = http.request("GET", f"{api}/received").json()
    print(f"file            {size / MIB:10.0f} MiB, {size / MIB / spent:.0f} MiB/s on this machine")
    print(f"same bytes back {got == sent!s:>10}")
    print(f"memory before   {before:10.1f} MiB")
    print(f"memory peak     {max(seen):10.1f} MiB ({max(seen) - before:+.1f})")
    print(f"memory after    {memory(server.pid):10.1f} MiB")
    print(f"received        {received['bytes']:10d} bytes in {received['requests']} requests")
    if got != sent:
        raise SystemExit("the file came back changed")


if __name__ == "__main__":
    if sys.argv[1:] == ["serve"]:
        serve(json.loads(os.environ["BENCHMARK_SETTINGS"]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            measure(int((sys.argv[1:] or ["1024"])[0]) * MIB, Path(scratch))
