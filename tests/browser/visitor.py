# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Somebody who is signed in, with their browser."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from playwright.sync_api import APIResponse, BrowserContext


class Visitor:
    """A browser with the session of a user; calls to the API are made with that session."""

    def __init__(self, context: BrowserContext, address: str, user_id: int) -> None:
        self.context = context
        self.user_id = user_id
        self.address = address
        """The site as this person knows it: scheme, host and port."""
        self.api = f"{address}/api"

    def page_of(self, attributes: Mapping[str, Any]) -> str:
        """Return the address of a page whose uploader has these attributes."""
        return f"{self.address}/uploader?{urlencode(attributes)}"

    def get(self, path: str) -> Any:
        """Return what the API answers."""
        return _json(self.context.request.get(self.api + path))

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send a POST, and return what the API answers."""
        return _json(self._send("POST", path, data=body))

    def delete(self, path: str) -> None:
        """Send a DELETE that has to succeed."""
        answer = self._send("DELETE", path)
        assert answer.ok, answer.text()

    def uploads(self) -> list[dict[str, Any]]:
        """Return the person's uploads, the newest first."""
        return self.get("/multipart-uploads")["uploads"]

    def digest(self, address: str) -> str:
        """Download a file, through the redirect to the store, and return its SHA-256."""
        answer = self.context.request.get(address)
        assert answer.status == 200, answer.text()
        return hashlib.sha256(answer.body()).hexdigest()

    def _send(self, method: str, path: str, **more: Any) -> APIResponse:
        """Send a request with the CSRF token; the refusal of one without it brings the cookie."""
        for _ in range(2):
            cookies = {each["name"]: each["value"] for each in self.context.cookies()}
            headers = {"X-CSRFToken": cookies.get("csrftoken", "")}
            answer = self.context.request.fetch(
                self.api + path, method=method, headers=headers, **more
            )
            if answer.status != 400 or "CSRF" not in answer.text():
                break
        return answer


def digest_of(file: Path) -> str:
    """Return the SHA-256 of a file on the disk."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _json(answer: APIResponse) -> Any:
    assert answer.ok, answer.text()
    return answer.json()
