# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Calls to the REST API of a repository."""

from __future__ import annotations

import re
import ssl
import urllib.request
import uuid
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, NewConnectionError, SSLError, TimeoutError

from .errors import ClientError
from .version import __version__

TIMEOUT: urllib3.Timeout | float = urllib3.Timeout(connect=10, read=60)
"""Seconds; for an answer the server asks the store, which may take some time."""

_NOT_FOR_SCREENS = re.compile(r"[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]+")
"""What would move a cursor or turn the direction of text."""


def read_upload_id(target: str) -> str | None:
    """Return the id of an upload as the API writes it; None for anything else, such as a scope."""
    try:
        return str(uuid.UUID(target)) if len(target) == 36 else None
    except ValueError:
        return None


class RepositoryApi:
    """The REST API of one repository, used by somebody who has an access token.

    :param url: its address, such as ``https://repo.example.org/api``.
    :param token: an access token of the repository; it goes to that address and nowhere else.
    :raises ClientError: when the address or the token cannot be one, or the address would show the
        token to everybody on the way.
    """

    def __init__(self, url: str, token: str) -> None:
        self._url = url.rstrip("/")
        if not re.fullmatch(r"[!-~]+", token):
            raise ClientError("The access token is empty, or has characters that none has.")
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "application/json",
            "User-Agent": f"oarepo-s3-client/{__version__}",
        }
        self._host = check_address(self._url)

    def grant(self, target: str, lifetime: int | None = None) -> dict[str, Any]:
        """Ask for temporary keys, and return the answer.

        :param target: a scope, or the id of an upload.
        :param lifetime: seconds for which the keys should work.
        :raises ClientError: when there are none: refused, or not reached.
        """
        upload_id = read_upload_id(target)
        wish: dict[str, Any] = {} if lifetime is None else {"lifetime": lifetime}
        if upload_id is not None:
            return self._post(f"/multipart-uploads/{upload_id}/credentials", wish)
        return self._post("/multipart-uploads/credentials", {"scope": target, **wish})

    def _post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        try:
            with _pool_for(self._url) as pool:
                response = pool.request(
                    "POST",
                    self._url + path,
                    json=body,
                    headers=self._headers,
                    timeout=TIMEOUT,
                    # A redirect would take the token elsewhere, and a call that was repeated would
                    # hand out keys twice.
                    redirect=False,
                    retries=False,
                )
        except HTTPError as error:
            raise ClientError(self._why(error)) from error
        answer = _read(response)
        if response.status != 201 or answer is None:
            raise ClientError(self._refusal(response, answer or {}))
        return answer

    def _why(self, error: HTTPError) -> str:
        """Return what stopped a call before there was an answer."""
        reason = error.args[-1] if error.args else error
        if isinstance(reason, (SSLError, ssl.SSLError)):
            return f"{self._host} has no certificate that is trusted here: {_fit(str(reason))}"
        # A connection that timed out is both.
        if isinstance(error, TimeoutError) and not isinstance(error, NewConnectionError):
            return f"{self._host} did not answer in time: try again."
        return (
            f"{self._host} cannot be reached: is the network up, and is --url the address of the "
            "repository's API?"
        )

    def _refusal(self, response: urllib3.BaseHTTPResponse, answer: Mapping[str, Any]) -> str:
        """Return what the server says, or what can be said where it says nothing."""
        message, code = answer.get("message"), answer.get("code")
        if response.status >= 400 and isinstance(message, str):
            return _fit(f"{message} ({code})" if code else message)
        if 300 <= response.status < 400:
            elsewhere = _fit(response.headers.get("Location", "somewhere else"))
            return f"{self._host} sends us to {elsewhere}: give the right address as --url."
        return (
            f"{self._host} answered with status {response.status} and nothing that could be "
            "understood: is --url the address of the repository's API?"
        )


def _fit(text: str) -> str:
    """Return a text of a server for a screen."""
    return _NOT_FOR_SCREENS.sub(" ", text)[:1000].strip()


def _read(response: urllib3.BaseHTTPResponse) -> dict[str, Any] | None:
    try:
        answer = response.json()
    except ValueError:
        return None
    return answer if isinstance(answer, dict) else None


def check_address(url: str) -> str:
    """Return the host of an address to which a token may be sent.

    :raises ClientError: when it is none, or the token would be seen on the way.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https") or parts.username is not None:
        raise ClientError(
            "--url is no address: it looks like https://repo.example.org/api, without a user."
        )
    if parts.scheme == "http" and not _is_loopback(host):
        raise ClientError(
            "--url begins with http: everybody on the way could read your access token. Use https."
        )
    return host


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _pool_for(url: str) -> urllib3.PoolManager:
    """Return what connects, by the proxy that the environment names (``HTTPS_PROXY``), if any."""
    parts = urlsplit(url)
    proxy = urllib.request.getproxies().get(parts.scheme)
    if proxy and not urllib.request.proxy_bypass(parts.netloc):
        return urllib3.ProxyManager(proxy)
    return urllib3.PoolManager()
