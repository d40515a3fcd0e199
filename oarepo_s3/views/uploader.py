# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Begin an upload where a record endpoint takes files: an uploader for oarepo-records-draft.

Its endpoint asks each uploader in turn, after it has checked its own permission, and within a
transaction of its own that also writes the record. It makes an answer with the status 500 of
whatever is raised, and then rolls nothing back; so the answer is put right, and what the store has
opened is dropped, by a function that Flask calls when the answer is there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Response, after_this_request
from invenio_files_rest.errors import FileSizeError

from ..api import MultipartUpload, UploadSession
from ..core.errors import InvalidKey, StoreMisconfigured, UploadError
from ..services.create import require_assignable
from ..services.transactions import roll_back
from .errors import DATABASE_ERRORS, answer_to
from .records import MultipartUploadAbortResource, MultipartUploadCompleteResource
from .schemas import MultipartQuerySchema, load_query, load_record_upload
from .serializers import dump_record_links
from .uploads import no_store

logger = logging.getLogger(__name__)

Address = Callable[..., str]
"""Builds the address of a view of the record's endpoint, by the view's name and values."""


def multipart_uploader(
    key: str, files: Any, request: Any, resolver: Address, **kwargs: Any
) -> Callable[[], dict[str, Any]] | None:
    """Begin an upload for ``POST .../files/?multipart=True``.

    :param key: name of the file.
    :param files: the record's files.
    :param request: what was asked; ``size`` and ``multipart_content_type`` are read from its body.
    :param resolver: builds addresses of the record's endpoint.
    :returns: what makes the answer, or None when the request is for another uploader.
    :raises UploadError: when there can be no such upload; the client gets the error's own answer.
    """
    if request.method != "POST":
        return None
    begun: list[MultipartUpload] = []
    try:
        if not load_query(MultipartQuerySchema())["multipart"]:
            return None
        session = _begin(key, files, resolver, begun)
    except Exception as error:
        # No later commit in this context shall write what was not finished.
        roll_back()
        cause = error.__cause__ if isinstance(error, FileSizeError) else error
        _at_the_end(begun, answer_to(cause))
        raise
    _at_the_end(begun)
    return lambda: {**session.to_dict(), "links": dump_record_links(session, resolver)}


def _begin(key: str, files: Any, resolver: Address, begun: list[MultipartUpload]) -> UploadSession:
    """Open the upload and return its session.

    :param begun: gets the upload before it is opened.
    """
    if "/" in key:
        # It is one step of an address here; and a server may take an escaped one for two.
        raise InvalidKey(reason="it has a slash")
    body = load_record_upload()
    require_assignable(files.bucket, key)
    upload = MultipartUpload(
        key,
        size=body["size"],
        part_size=body.get("part_size"),
        content_type=body["multipart_content_type"],
        checksum=body.get("checksum"),
        complete_url=resolver(MultipartUploadCompleteResource.view_name, key=key),
        abort_url=resolver(MultipartUploadAbortResource.view_name, key=key),
    )
    begun.append(upload)
    files[key] = upload
    if upload.session is None:
        raise StoreMisconfigured(reason="another storage than this package's took the upload")
    return upload.session


def _at_the_end(begun: list[MultipartUpload], answer: Response | None = None) -> None:
    """See to the answer of this request when it is there, and to the store when it is an error.

    :param answer: what the client shall get instead.
    """

    def end(response: Response) -> Response:
        if response.status_code < 400:
            return no_store(response)
        for upload in begun:
            _drop(upload)
        return response if answer is None else answer

    after_this_request(end)


def _drop(upload: MultipartUpload) -> None:
    try:
        upload.drop_unsaved()
    except (UploadError, *DATABASE_ERRORS) as error:
        logger.warning(
            "An upload that was not saved could not be dropped (%s); the sweep of orphans will.",
            type(error).__name__,
            extra={"action": "drop_failed"},
        )
