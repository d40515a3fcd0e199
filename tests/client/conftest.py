# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A repository that answers as it is told, for a client that cannot tell the difference."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from click.testing import CliRunner, Result

from oarepo_s3_client.cli import TOKEN_VARIABLE, main

from ..serving import in_thread

GRANT = {
    "id": "6a2f3c1e-0000-4000-8000-000000000001",
    "credentials": {
        "accessKeyId": "AKIA",
        "secretAccessKey": "se+cr/et=",
        "sessionToken": "to+k/en==",
        "expiration": "2030-01-31T12:00:00Z",
    },
    "region": "us-east-1",
    "bucket": "repo",
    "endpoint_url": "https://s3.example.org",
    "provider": "ceph",
    "prefix": "user.name/dataset/",
    "expires_at": "2030-01-31T12:00:00Z",
}
TOKEN = "a-token-of-the-repository"


@dataclass
class Repository:
    """A server of the API with one answer for all calls."""

    http: ThreadingHTTPServer
    status: int = 201
    answer: Any = field(default_factory=lambda: GRANT)
    headers: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, Any, dict[str, str]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Address of the API."""
        return f"http://127.0.0.1:{self.http.server_port}/api"


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        repository: Repository = self.server.repository  # type: ignore[attr-defined]
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        repository.calls.append((self.path, body, dict(self.headers)))
        answer = repository.answer
        text = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(repository.status)
        for name, value in {"Content-Length": str(len(text)), **repository.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def repository() -> Iterator[Repository]:
    """A repository that grants, until it is told otherwise."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made = Repository(server)
    server.repository = made  # type: ignore[attr-defined]
    with in_thread(server):
        yield made


@pytest.fixture
def oarepo_s3(repository, monkeypatch) -> Any:
    """The command: call it with its arguments; it knows the repository and a token."""
    monkeypatch.setenv(TOKEN_VARIABLE, TOKEN)
    monkeypatch.setenv("OAREPO_S3_URL", repository.url)

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, ["credentials", *arguments])

    return run
