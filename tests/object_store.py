# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A store that runs, seen by a plain client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

BUCKET = "oarepo-test"


@dataclass(frozen=True)
class Store:
    """A running S3 store with an empty bucket."""

    endpoint_url: str
    access_key: str
    secret_key: str
    bucket: str = BUCKET
    region: str = "us-east-1"
    token: str | None = None
    role: str | None = None
    """What keys are made of, where the store hands out temporary ones; it is Ceph's then."""

    @classmethod
    def at(cls, server: Any, bucket: str = BUCKET) -> Store:
        """Return the store of a server that the tests have started."""
        return cls(server.endpoint_url, server.access_key, server.secret_key, bucket)

    def client(self, **options: Any) -> Any:
        """Return a plain boto3 client, independent of the package's own."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint_url,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            region_name=self.region,
            aws_session_token=self.token,
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "path"},
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
                **options,
            ),
        )

    def open_uploads(self, prefix: str = "") -> dict[str, str]:
        """Return the keys of the multipart uploads that are open below a prefix, by upload id."""
        client = self.client()
        pages = client.get_paginator("list_multipart_uploads")
        try:
            return {
                upload["UploadId"]: upload["Key"]
                for page in pages.paginate(Bucket=self.bucket, Prefix=prefix)
                for upload in page.get("Uploads", [])
            }
        except client.exceptions.NoSuchUpload:
            return {}  # what rclone says of an empty list
        finally:
            client.close()

    def abort_open_uploads(self) -> None:
        """Abort what other tests have left open."""
        client = self.client()
        for upload_id, key in self.open_uploads().items():
            client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        client.close()
