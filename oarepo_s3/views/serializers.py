# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Answers as plain dictionaries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from flask import current_app, url_for

from ..core.parts import UploadedPart
from ..core.states import UploadState
from ..core.times import isoformat
from ..models import Upload
from ..proxies import current_s3
from ..record_access import content_address
from ..services import PartUrl, part_checksums

ENDPOINT = "oarepo_s3"
"""Name of the blueprint."""

FILE_VIEW = "invenio_files_rest.object_api"
"""Name of the view that answers for the content of a file."""


def dump_upload(upload: Upload, links: dict[str, str] | None = None) -> dict[str, Any]:
    """Write the session of an upload; its length does not depend on the number of parts.

    :param links: what can be done with it where; None for the REST API.
    """
    dumped: dict[str, Any] = {
        "id": str(upload.id),
        "bucket": str(upload.bucket_id),
        "key": upload.key,
        "state": upload.state,
        "size": upload.size,
        "part_size": upload.part_size,
        "num_parts": upload.num_parts,
        "content_type": upload.content_type,
        "checksum": dump_checksum(upload),
        "part_checksums": part_checksums(upload),
        "created_at": isoformat(upload.created_at),
        "expires_at": isoformat(upload.expires_at),
        "links": dump_links(upload) if links is None else links,
    }
    if upload.state == UploadState.COMPLETED:
        dumped["file"] = {
            "file_id": str(upload.file_id),
            "version_id": str(upload.version_id),
            "key": upload.key,
            "size": upload.size,
            "checksum": upload.checksum,
            "links": dump_file_links(upload),
        }
    if upload.state == UploadState.FAILED:
        dumped["reason"] = upload.reason
    return dumped


def dump_checksum(upload: Upload) -> dict[str, str] | None:
    """Write what the client declared of the whole file, and what is known of it."""
    if upload.declared_checksum is None:
        return None
    return {"value": upload.declared_checksum, "status": upload.checksum_status}


def dump_file_links(upload: Upload) -> dict[str, str]:
    """Write the address of the bytes of a completed upload.

    It is missing where nothing in this application serves them.
    """
    address: str | None = None
    if upload.record_service is not None:
        address = content_address(upload)
    elif FILE_VIEW in current_app.view_functions:
        address = url_for(FILE_VIEW, bucket_id=upload.bucket_id, key=upload.key, _external=True)
    return {} if address is None else {"content": address}


def dump_links(upload: Upload) -> dict[str, str]:
    """Write the addresses of what can be done with an upload."""
    names = {
        "self": "upload",
        "urls": "urls",
        "parts": "parts",
        "complete": "complete",
        "abort": "upload",
    }
    return {
        link: url_for(f"{ENDPOINT}.{view}", upload_id=upload.id, _external=True)
        for link, view in names.items()
    }


def dump_record_links(upload: Any, address: Callable[..., str]) -> dict[str, str]:
    """Write the addresses of what can be done with an upload under its record.

    ``urls`` signs as many parts as one call may; ``urls_template`` leaves it open which.

    :param upload: the upload, or its session.
    :param address: builds the address of a view, by its name and the values in it.
    """
    one = {"key": upload.key, "upload_id": upload.id}
    most = f"/1-{min(upload.num_parts, current_s3.settings.max_urls)}/"
    urls = address("{endpoint}_presigned_multipart", parts=most.strip("/"), **one)
    start, _, end = urls.rpartition(most)
    return {
        "complete": address("{endpoint}_complete_multipart_by_id", **one),
        "abort": address("{endpoint}_abort_multipart_by_id", **one),
        "parts": address("{endpoint}_list_parts_multipart", **one),
        "urls": urls,
        "urls_template": f"{start}/{{parts}}/{end}",
    }


def dump_urls(urls: Iterable[PartUrl]) -> list[dict[str, Any]]:
    """Write signed part URLs."""
    return [
        {
            "part": url.part,
            "url": url.url,
            "expires_at": isoformat(url.expires_at),
            **({"headers": dict(url.headers)} if url.headers else {}),
        }
        for url in urls
    ]


def dump_parts(parts: Iterable[UploadedPart]) -> list[dict[str, Any]]:
    """Write parts as the store has them."""
    return [
        {
            "part": part.part,
            "size": part.size,
            "etag": part.etag,
            **({"checksum": str(part.checksum)} if part.checksum else {}),
        }
        for part in parts
    ]
