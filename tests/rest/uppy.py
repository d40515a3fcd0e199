# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uppy in companion mode: what it asks and how, with neither a cookie nor a header of ours."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from oarepo_s3.core.planning import MIB

from ..people import Person, http, path, put

TOKENS = "/multipart-uploads/tokens"
PART = 5 * MIB
"""What Uppy makes of all but very large files."""


def issue(person: Person, bucket: Any, **wishes: Any) -> dict[str, Any]:
    """Get a token for a bucket, which has to succeed."""
    answer = person.post(TOKENS, json={"bucket": str(bucket.id), **wishes})
    assert answer.status_code == 201, answer.get_data(as_text=True)
    return answer.get_json()


class Uppy:
    """A page with Uppy on it.

    :param client: its browser.
    :param companion_url: its option ``companionEndpoint``.
    """

    def __init__(self, client: Any, companion_url: str) -> None:
        self.client = client
        self.endpoint = path(companion_url)

    def call(self, method: str, rest: str, **query: Any) -> Any:
        """Call a route; a ``json`` is its body."""
        body = {"json": query.pop("json")} if "json" in query else {}
        asked = f"?{urlencode(query)}" if query else ""
        return self.client.open(f"{self.endpoint}/s3{rest}{asked}", method=method, **body)

    def ask(self, filename: str, **metadata: Any) -> Any:
        """Ask for an upload."""
        body = {"filename": filename, "type": "text/plain", "metadata": metadata}
        return self.call("POST", "/multipart", json=body)

    def create(self, filename: str, size: int, **metadata: Any) -> dict[str, Any]:
        """Begin an upload, which has to succeed."""
        answer = self.ask(filename, size=size, name=filename, **metadata)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def params(self, filename: str, size: Any, **metadata: Any) -> Any:
        """Ask for a form."""
        told = {"name": filename, "size": size, **metadata}
        query = {f"metadata[{name}]": value for name, value in told.items() if value is not None}
        return self.call("GET", "/params", filename=filename, type="text/plain", **query)

    def post(self, answer: dict[str, Any], content: bytes) -> Any:
        """Send a form, as Uppy 6 does: all fields, and the file as the last one."""
        fields = {**answer["fields"], "file": ("blob", content, "text/plain")}
        return http.request(answer["method"], answer["url"], fields=fields)

    def of(self, created: dict[str, Any], rest: str = "", method: str = "GET", **more: Any) -> Any:
        """Call a route of an upload."""
        address = f"/multipart/{created['uploadId']}{rest}"
        return self.call(method, address, **{"key": created["key"], **more})

    def sign(self, created: dict[str, Any], part: Any) -> Any:
        """Ask for the URL of a part."""
        return self.of(created, f"/{part}")

    def list(self, created: dict[str, Any]) -> Any:
        """Ask for the parts."""
        return self.of(created)

    def send(self, created: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
        """Send all parts, one after another; return them as Uppy lists them."""
        parts = []
        for number in range(1, max(1, -(-len(content) // PART)) + 1):
            signed = self.sign(created, number)
            assert signed.status_code == 200, signed.get_data(as_text=True)
            etag = put(signed.get_json()["url"], content[(number - 1) * PART : number * PART])
            parts.append({"PartNumber": number, "ETag": etag.strip('"')})
        return parts

    def complete(self, created: dict[str, Any], parts: list[dict[str, Any]]) -> Any:
        """Complete."""
        return self.of(created, "/complete", "POST", json={"parts": parts})

    def abort(self, created: dict[str, Any]) -> Any:
        """Cancel."""
        return self.of(created, method="DELETE")

    def upload(self, filename: str, content: bytes) -> dict[str, Any]:
        """Send a whole file, which has to succeed."""
        created = self.create(filename, len(content))
        answer = self.complete(created, self.send(created, content))
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()
