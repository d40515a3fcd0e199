# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is there in the end, straight from PostgreSQL and from Ceph: none of our code is asked."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from .world import STORE_BUCKET, World

TOKEN = "oarepo-upload-token"

UPLOADS = """
    SELECT id::text, state, bucket_id::text AS bucket, key, file_id::text AS file,
           version_id::text AS version, size, reserved, uri, store_upload_id, token, reason,
           expires_at <= now() AT TIME ZONE 'UTC' AS over, updated_at < expires_at AS early
    FROM oarepo_s3_upload
"""
FILES = "SELECT id::text, uri, size, readable FROM files_files"
VERSIONS = """
    SELECT version_id::text AS id, bucket_id::text AS bucket, key, file_id::text AS file, is_head,
           created
    FROM files_object ORDER BY bucket_id, key, created
"""
BUCKETS = "SELECT id::text, size, quota_size AS quota FROM files_bucket"


@dataclass(frozen=True, slots=True)
class Object:
    """An object at the store."""

    size: int
    token: str | None
    sha256: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """Rows as dictionaries; objects by URI; open multipart uploads as URI and the store's id."""

    uploads: list[dict[str, Any]]
    files: list[dict[str, Any]]
    versions: list[dict[str, Any]]
    buckets: list[dict[str, Any]]
    objects: dict[str, Object]
    multiparts: set[tuple[str, str]]


def gather(world: World) -> Evidence:
    """Read everything; nothing may be at work any more."""
    pages = world.s3.get_paginator("list_objects_v2").paginate(Bucket=STORE_BUCKET)
    keys = [found["Key"] for page in pages for found in page.get("Contents", [])]
    with ThreadPoolExecutor(4) as pool:
        objects = dict(
            zip(map(uri_of, keys), pool.map(lambda key: _read(world, key), keys), strict=True)
        )
    return Evidence(
        uploads=world.sql(UPLOADS),
        files=world.sql(FILES),
        versions=world.sql(VERSIONS),
        buckets=world.sql(BUCKETS),
        objects=objects,
        multiparts=open_multiparts(world),
    )


def open_multiparts(world: World) -> set[tuple[str, str]]:
    """Return the multipart uploads that the store has, each with its URI."""
    pages = world.s3.get_paginator("list_multipart_uploads").paginate(Bucket=STORE_BUCKET)
    return {
        (uri_of(found["Key"]), found["UploadId"])
        for page in pages
        for found in page.get("Uploads", [])
    }


def is_quiet(world: World) -> bool:
    """Whether the tasks have nothing left to do."""
    rows = world.sql(UPLOADS)
    waiting = [row for row in rows if row["state"] == "pending" and not row["over"]]
    ending = [row for row in rows if row["state"] in ("completing", "aborting", "expired")]
    over = [row for row in rows if row["state"] == "pending" and row["over"]]
    multiparts = open_multiparts(world)
    orphans = {uri for uri, _ in multiparts} - {row["uri"] for row in waiting}
    opened = {(row["uri"], row["store_upload_id"]) for row in waiting if row["store_upload_id"]}
    lost = opened - multiparts
    return not (ending or over or orphans or lost)


def uri_of(key: str) -> str:
    """Return the URI of a key in the store's bucket."""
    return f"s3://{STORE_BUCKET}/{key}"


def _read(world: World, key: str) -> Object:
    """Download an object whole: a size and a token say nothing of the bytes."""
    answer = world.s3.get_object(Bucket=STORE_BUCKET, Key=key)
    digest, size = hashlib.sha256(), 0
    for piece in answer["Body"].iter_chunks(2**20):
        digest.update(piece)
        size += len(piece)
    return Object(size, answer["Metadata"].get(TOKEN), digest.hexdigest())
