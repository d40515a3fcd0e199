# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a client gets that asks for a file: the way to the store, or what a HEAD wants to know.

A GET is answered with a redirect to a presigned URL. A range, or the condition that a client has
sent, goes on to the store with it. A presigned URL answers one method alone, so a HEAD is answered
here, with what the database knows.

The store's answer is what the client keeps and shows: its type, name and caching are signed into
the URL. Ceph RGW 16.2, 18.2 and 20.2 and rclone 1.75 honour all three (measured; for Ceph see
``docs/reference/stores.md``).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Response, current_app, has_request_context, json, request
from invenio_files_rest.errors import StorageError
from invenio_files_rest.helpers import sanitize_mimetype
from invenio_files_rest.utils import guess_mimetype
from invenio_s3 import storage as invenio_storage

from .backends import PresignsDownloads
from .core.errors import UploadError
from .core.names import content_disposition, fit_name

logger = logging.getLogger(__name__)

OCTETS = "application/octet-stream"
"""The type of what is to be saved, and not shown."""

ACTIVE_TYPES = {
    "application/javascript",
    "application/xhtml+xml",
    "application/xml",
    "image/svg+xml",
    "text/html",
}
"""What a browser could run. files-rest calls it plain text; it is saved as well, because the header
that forbids a browser to guess a type (``nosniff``) cannot be asked of a store."""

_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+(?:; ?[\w.+-]+=[\w.+-]+)*\Z", re.ASCII)


class DownloadFailed(StorageError):  # type: ignore[misc]
    """An error of the catalogue, as the routes of all stacks let it through.

    :param error: what is wrong; its status, sentence and code are the answer's.
    """

    def __init__(self, error: UploadError) -> None:
        super().__init__(description=str(error))
        self.code = error.status
        self._error = error

    def get_body(self, *args: Any, **kwargs: Any) -> str:
        """Return files-rest's body, with the code that clients can rely on."""
        body = {**json.loads(super().get_body(*args, **kwargs)), "code": self._error.code}
        return json.dumps(body)

    def get_headers(self, *args: Any, **kwargs: Any) -> list[tuple[str, str]]:
        """Return the headers, with the time to wait if there is one."""
        headers: list[tuple[str, str]] = super().get_headers(*args, **kwargs)
        if self._error.retry_after is not None:
            headers.append(("Retry-After", str(self._error.retry_after)))
        return headers


@dataclass(frozen=True, slots=True)
class Download:
    """A file as one client is to get it.

    :param filename: the name to save it under, whatever is in it.
    :param mimetype: what is known of its type; guessed from the name without.
    :param restricted: whether anybody but the one who asks must not get it from a cache.
    :param trusted: whether a browser may run it.
    :param as_attachment: whether it is to be saved in any case.
    :param size: in bytes.
    :param etag: of the object at the store, without quotes, where it is known.
    """

    filename: str
    mimetype: str | None = None
    restricted: bool = True
    trusted: bool = False
    as_attachment: bool = False
    size: int | None = None
    etag: str | None = None

    @property
    def content_type(self) -> str:
        """The type that the file is served with: none that a browser runs, unless trusted."""
        if self.trusted:
            return self._type if _TYPE.match(self._type) else OCTETS
        return str(sanitize_mimetype(self._type, filename=self.filename))

    @property
    def is_saved(self) -> bool:
        """Whether it is to be saved, and not shown."""
        active = not self.trusted and self._type in ACTIVE_TYPES
        return self.as_attachment or active or self.content_type == OCTETS

    @property
    def disposition(self) -> str:
        """Whether it is shown or saved, and under which name."""
        return content_disposition("attachment" if self.is_saved else "inline", self.filename)

    @property
    def _type(self) -> str:
        return self.mimetype or str(guess_mimetype(fit_name(self.filename)))

    def cache_control(self, lifetime: timedelta) -> str:
        """Say who may keep an answer for how long.

        A redirect that comes out of a cache has to have some of its life left.

        :param lifetime: of the URL that is redirected to.
        """
        if self.restricted:
            return "private, no-store"
        return f"public, max-age={int(lifetime.total_seconds()) // 2}"


def send(store: PresignsDownloads, key: str, download: Download) -> Response:
    """Answer the current request, if there is one, for an object.

    :raises DownloadFailed: when no URL can be signed.
    """
    with failing_clearly():
        lifetime = store.download_lifetime(
            timedelta(seconds=current_app.config["S3_URL_EXPIRATION"])
        )
        cache_control = download.cache_control(lifetime)
        if has_request_context() and request.method == "HEAD":
            response = _describe(_answer(download, ""), download)
        else:
            url = store.presign_download(
                key,
                lifetime=lifetime,
                content_type=download.content_type,
                content_disposition=download.disposition,
                cache_control=cache_control,
            )
            response = _answer(download, url)
            # There is nothing in it that could have a type.
            del response.headers["Content-Type"]
    response.headers["Cache-Control"] = cache_control
    del response.headers["Expires"]
    if not download.restricted:
        # Flask may renew a session in any answer: no cache may give it to somebody else.
        response.vary.add("Cookie")
    return response


@contextmanager
def failing_clearly() -> Iterator[None]:
    """Let an error of the catalogue reach the client, and the log."""
    try:
        yield
    except UploadError as error:
        logger.error(
            "A download cannot be signed (%s): %s",
            error.code,
            error,
            extra={"action": "download_failed", "code": error.code},
        )
        raise DownloadFailed(error) from error


def _answer(download: Download, url: str) -> Response:
    """Return invenio-s3's redirect, with the headers that make an answer harmless; without a body.

    The disposition in it is not for the client, which has that of the store's answer in the end.
    """
    response: Response = invenio_storage.redirect_stream(
        lambda **asked: url,
        fit_name(download.filename),
        mimetype=download.content_type,
        restricted=download.restricted,
        trusted=download.trusted,
        as_attachment=download.is_saved,
    )
    response.data = b""
    return response


def _describe(response: Response, download: Download) -> Response:
    """Answer a HEAD with what a GET gets from the store in the end.

    The time of the last change is left out: only the store knows it.
    """
    response.status_code = 200
    del response.headers["Location"]
    response.headers["Content-Type"] = download.content_type
    response.headers["Content-Disposition"] = download.disposition
    response.headers["Accept-Ranges"] = "bytes"
    # The length of what is described, not of the description.
    response.automatically_set_content_length = False
    del response.headers["Content-Length"]
    if download.size is not None:
        response.content_length = download.size
    if download.etag is not None:
        response.set_etag(download.etag)
        response.make_conditional(request)
    return response
