# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A client of the REST API and of the store that does not give up at the first error."""

from __future__ import annotations

import hashlib
import json
import random
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3

from .ledger import Ledger
from .settings import USER_HEADER

_PAUSE = 0.3
_PATIENCE = 30
_PUTS = 8
_API_TIMEOUT = urllib3.Timeout(connect=2, read=20)
"""The application has a store behind it, which it asks several times."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """The body as JSON."""
        return dict(json.loads(self.body))


class Client:
    """One user; asks any of the web processes, as by a load balancer without health checks."""

    def __init__(self, ports: list[int], user: int, rng: random.Random, ledger: Ledger) -> None:
        self._ports = ports
        self._headers = {USER_HEADER: str(user)}
        self._rng = rng
        self._ledger = ledger
        self._http = urllib3.PoolManager(
            maxsize=4, retries=False, timeout=urllib3.Timeout(connect=2, read=4)
        )

    def call(self, name: str, method: str, path: str, **options: Any) -> Answer | None:
        """Ask once; None when no answer came."""
        address = f"http://127.0.0.1:{self._rng.choice(self._ports)}{path}"
        more = {"headers": self._headers, "redirect": False, "timeout": _API_TIMEOUT}
        return self._request(name, method, address, **more, **options)

    def insist(
        self, name: str, method: str, path: str, patience: float = _PATIENCE
    ) -> Answer | None:
        """Ask until there is an answer that is no 5xx, or patience (seconds) is over."""
        deadline = time.monotonic() + patience
        while True:
            answer = self.call(name, method, path)
            if answer is not None and answer.status < 500:
                return answer
            if time.monotonic() > deadline:
                self._ledger.count(f"given up: {name}")
                return None
            time.sleep(_PAUSE * (1 + self._rng.random()))

    def put(self, upload_id: str, part: int, url: str, body: bytes) -> bool:
        """Send a part to the store, again while it fails, with a fresh URL each time."""
        for _ in range(_PUTS):
            answer = self._request("PUT part (store)", "PUT", url, body=body)
            if answer is not None and answer.status == 200:
                return True
            time.sleep(_PAUSE)
            fresh = self.insist("urls", "GET", f"/multipart-uploads/{upload_id}/urls?parts={part}")
            if fresh is None or fresh.status != 200:
                return False
            url = fresh.json["urls"][0]["url"]
        return False

    def download(self, bucket: str, key: str, version: str) -> str | None:
        """Follow the redirect to the store and return the SHA-256 of what came; None for none."""
        path = f"/files/{bucket}/{quote(key)}?versionId={version}"
        answer = self.insist("download (files-rest)", "GET", path)
        if answer is None or answer.status != 302:
            return f"status {answer.status}" if answer else None
        found = self._request("GET file (store)", "GET", answer.headers["Location"])
        if found is None or found.status >= 500:
            return None
        return hashlib.sha256(found.body).hexdigest() if found.status == 200 else str(found.status)

    def _request(self, name: str, method: str, address: str, **options: Any) -> Answer | None:
        begun = time.monotonic()
        try:
            found = self._http.request(method, address, **options)
            answer = Answer(found.status, found.headers, found.data)
        except urllib3.exceptions.HTTPError:
            # A killed process, a broken connection, a time-out: what a soak is about.
            answer = None
        status = answer.status if answer else None
        self._ledger.answered(name, status, time.monotonic() - begun)
        return answer
