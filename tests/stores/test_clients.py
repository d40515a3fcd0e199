# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Our own clients send a part without a Content-Type, which RGW 20 refuses unless it is signed.

They are the helper of the tests, the demo's uploader, and the curl commands that are printed by
the demo, in the README and in the quickstart.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from demo.client import Client

from .. import people
from ..services.process import find_program
from ..serving import in_thread
from .ceph_traits import OK

ROOT = Path(__file__).parents[2]
PRINTED = ("README.md", "docs/quickstart.md", "demo/guide.py")
BODY = b"the bytes of a part"


class _Handler(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        seen: list[Any] = self.server.seen  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers["Content-Length"]))
        seen.append(({name.lower() for name in self.headers}, body))
        self.send_response(200)
        self.send_header("ETag", '"etag"')
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Ear:
    """A server that hears what is sent: pairs of the headers' names, in lower case, and a body."""

    def __init__(self) -> None:
        self.http = HTTPServer(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[set[str], bytes]] = []
        self.http.seen = self.seen  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self.http.server_port}/bucket/key"


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    with in_thread(made.http):
        yield made


def by_helper(url: str, directory: Path) -> None:
    people.put(url, BODY)


def by_demo(url: str, directory: Path) -> None:
    Client("http://api", "bucket", connections=1).put(url, io.BytesIO(BODY), len(BODY))


def by_curl(page: str) -> Callable[[str, Path], None]:
    """Return a client that runs the command by which a page sends a part."""
    lines = [line for line in (ROOT / page).read_text().splitlines() if '"$part" "$url"' in line]
    (line,) = lines
    command = line[line.index("curl ") :].partition(";")[0]

    def send(url: str, directory: Path) -> None:
        run_curl(command, url, directory)

    return send


def run_curl(command: str, url: str, directory: Path) -> None:
    """Run a printed command of curl, with its settings of this machine left out."""
    find_program("curl", "curl")
    (directory / "part.aa").write_bytes(BODY)
    environment = {"HOME": str(directory), "PATH": "/usr/bin:/bin", "url": url, "part": "part.aa"}
    done = subprocess.run(
        ["bash", "-euc", command], cwd=directory, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr


CLIENTS: dict[str, Callable[[str, Path], None]] = {
    "tests/people.py": by_helper,
    "demo/client.py": by_demo,
    **{page: by_curl(page) for page in PRINTED},
}
every_client = pytest.mark.parametrize("client", CLIENTS)


@every_client
def test_it_sends_the_part_and_no_header_that_a_store_could_refuse(client, ear, tmp_path):
    CLIENTS[client](ear.url, tmp_path)
    ((headers, body),) = ear.seen
    assert body == BODY
    harmless = {"host", "content-length", "user-agent", "accept", "accept-encoding", "expect"}
    assert headers <= harmless


@pytest.mark.ceph
@every_client
def test_ceph_takes_what_it_sends(client, begin, tmp_path):
    upload = begin()
    CLIENTS[client](upload.sign(), tmp_path)
    assert [part["Size"] for part in upload.parts()] == [len(BODY)]


def test_curl_names_a_type_when_it_is_told_to_send_data(ear, tmp_path):
    """Which is why no command that is printed does so."""
    run_curl('curl -sS -f -X PUT --data-binary "@$part" "$url"', ear.url, tmp_path)
    ((headers, body),) = ear.seen
    assert body == BODY
    assert "content-type" in headers


@pytest.mark.ceph
def test_data_that_curl_names_a_type_for_is_taken_by_old_versions_only(begin, rgw, tmp_path):
    upload = begin()
    command = 'curl -sS -o answer -w "%{http_code}" -X PUT --data-binary "@$part" "$url" > status'
    run_curl(command, upload.sign(), tmp_path)
    status = (tmp_path / "status").read_text()
    assert status == ("403" if rgw.refuses_unsigned else str(OK[0]))
