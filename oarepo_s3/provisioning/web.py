# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Requests as a browser sends them: without keys, and without the SDK."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import urllib3
from urllib3.exceptions import HTTPError, LocationValueError, SSLError

from ..backends import Form
from ..core.errors import StoreMisconfigured, StoreUnavailable

CONNECT_TIMEOUT = 5
READ_TIMEOUT = 60
"""Seconds to wait for a connection, and for an answer."""

_CODE = re.compile(rb"<Code>(\w{1,80})</Code>")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    :param headers: by their names in small letters.
    :param code: of the error in the store's own words; empty where there is none.
    """

    status: int
    headers: Mapping[str, str]
    code: str

    @property
    def is_good(self) -> bool:
        """Whether it was done."""
        return 200 <= self.status < 300

    def __str__(self) -> str:
        return f"{self.status} {self.code}".strip()

    def listed(self, header: str) -> set[str]:
        """Return what a header lists, in small letters."""
        return {item.strip().lower() for item in self.headers.get(header, "").split(",")} - {""}


class Web:
    """Sends requests, once each: neither a retry nor a redirect hides an answer.

    :param verify: path of a CA bundle; None for those of the system.
    """

    def __init__(self, verify: str | None = None) -> None:
        timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
        self._pool = urllib3.PoolManager(retries=False, timeout=timeout, ca_certs=verify)

    def __enter__(self) -> Self:
        """Nothing is opened before the first request."""
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Close the connections."""
        self._pool.clear()

    def send(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request.

        :raises StoreUnavailable: when no answer comes.
        :raises StoreMisconfigured: when the address is none, or its certificate is not trusted.
        """
        return self._request(method, url, body=body, headers=dict(headers or {}))

    def post(self, form: Form, content: bytes) -> Answer:
        """Send a form with a file, as :meth:`send` does."""
        fields = {**form.fields, "file": ("check", content, "application/octet-stream")}
        return self._request("POST", form.url, fields=fields)

    def _request(self, method: str, url: str, **more: Any) -> Answer:
        try:
            reply = self._pool.request(method, url, **more)
        except (SSLError, LocationValueError) as error:
            raise StoreMisconfigured(reason=type(error).__name__) from None
        except HTTPError as error:
            # Its text has the address, and that its signature.
            raise StoreUnavailable(reason=type(error).__name__) from None
        code = _CODE.search(reply.data)
        return Answer(
            reply.status,
            {name.lower(): value for name, value in reply.headers.items()},
            code[1].decode() if code else "",
        )
