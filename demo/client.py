# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A client of the REST API: it knows nothing but addresses, as any client would."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import urllib3

from .errors import DemoError
from .progress import Bar

PIECE = 2**18
"""Bytes that go from a file to a socket, or back, at a time."""

_URLS_A_CALL = 100
_EXCERPT = 300


@dataclass(frozen=True, slots=True)
class Session:
    """An open upload, as the API describes it."""

    document: dict[str, Any]

    @property
    def part_size(self) -> int:
        """Bytes of each part but the last."""
        return int(self.document["part_size"])

    @property
    def num_parts(self) -> int:
        """Number of parts."""
        return int(self.document["num_parts"])

    def link(self, name: str) -> str:
        """Return an address of what can be done with the upload."""
        return str(self.document["links"][name])


class Client:
    """Talks to one REST API; the store is only addressed by the URLs that the API hands out."""

    def __init__(self, api: str, bucket: str, connections: int) -> None:
        """Use the API at address ``api`` and the bucket with the id ``bucket``.

        :param connections: as many as there are threads.
        """
        self._api = api
        self._bucket = bucket
        # Without retries of its own: a part is sent again with a fresh URL.
        self._http = urllib3.PoolManager(
            maxsize=connections,
            blocksize=PIECE,
            retries=False,
            timeout=urllib3.Timeout(connect=5, read=60),
        )

    def create(self, key: str, size: int, **optional: Any) -> Session:
        """Open an upload; ``content_type`` and ``part_size`` (bytes) are optional."""
        wish = {"bucket": self._bucket, "key": key, "size": size}
        wish.update({name: value for name, value in optional.items() if value is not None})
        return Session(self._call("POST", f"{self._api}/multipart-uploads", 201, json=wish))

    def addresses(self, session: Session) -> Iterator[tuple[int, str]]:
        """Yield part numbers with their URLs, which are fetched as they are needed."""
        urls = session.document["urls"]
        while urls:
            for signed in urls:
                yield signed["part"], signed["url"]
            first = urls[-1]["part"] + 1
            last = min(first + _URLS_A_CALL - 1, session.num_parts)
            urls = self._sign(session, f"{first}-{last}") if first <= last else []

    def fresh_url(self, session: Session, number: int) -> str:
        """Return a new URL for one part."""
        return str(self._sign(session, str(number))[0]["url"])

    def put(self, url: str, body: Any, length: int) -> None:
        """Send ``length`` bytes of a body that has ``read`` to the store."""
        headers = {"Content-Length": str(length)}
        reply = self._request("PUT", url, body=body, headers=headers)
        if reply.status != 200:
            raise DemoError(f"the store answered {_describe(reply)}")

    def complete(self, session: Session) -> dict[str, Any]:
        """Complete the upload, and return its description with the file."""
        return self._call("POST", session.link("complete"), 200)

    def download(self, key: str, bar: Bar) -> str:
        """Download through the API's redirect and return the SHA-256 of what came."""
        address = f"{self._api}/files/{self._bucket}/{quote(key, safe='')}"
        reply = self._request("GET", address)
        location = reply.headers.get("Location")
        if reply.status != 302 or location is None:
            raise DemoError(f"expected a redirect to the store, not {_describe(reply)}")
        reply = self._request("GET", location, preload_content=False)
        digest = hashlib.sha256()
        try:
            if reply.status != 200:
                raise DemoError(f"the store answered {_describe(reply)}")
            for piece in reply.stream(PIECE):
                digest.update(piece)
                bar.add(len(piece))
        except urllib3.exceptions.HTTPError as error:
            raise DemoError(f"the download broke off: {error}") from error
        finally:
            reply.close()
        return digest.hexdigest()

    def _sign(self, session: Session, parts: str) -> list[dict[str, Any]]:
        answer = self._call("GET", f"{session.link('urls')}?parts={parts}", 200)
        return list(answer["urls"])

    def _call(self, method: str, address: str, expected: int, **options: Any) -> dict[str, Any]:
        reply = self._request(method, address, **options)
        if reply.status != expected:
            raise DemoError(f"the API answered {_describe(reply)}")
        return dict(json.loads(reply.data))

    def _request(self, method: str, address: str, **options: Any) -> urllib3.BaseHTTPResponse:
        try:
            return self._http.request(method, address, redirect=False, **options)
        except urllib3.exceptions.HTTPError as error:
            # Its text names host and port, never the URL with its signature.
            raise DemoError(f"{method} failed: {error}") from error


def _describe(reply: urllib3.BaseHTTPResponse) -> str:
    text = reply.data.decode(errors="replace").strip()
    return f"{reply.status}: {text[:_EXCERPT]}"
