# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""S3-compatible stores: AWS, Ceph RGW, MinIO and others.

Rights the server's keys need on the bucket: ``s3:ListBucket, s3:ListBucketMultipartUploads``; on
its objects: ``s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload,
s3:ListMultipartUploadParts``. Objects are private: no ACL is ever sent.

Trade-offs: a control call is one blocking HTTP request through a shared pool, with the SDK's
retries; presigned URLs sign the host alone, because older Ceph fails the browser's preflight for
anything more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from boto3.session import Session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.handlers import validate_bucket_name

from ..core.checksums import strip_etag
from ..core.credentials import Credentials
from ..core.errors import StoreDenied, StoreUploadGone
from ..core.parts import UploadedPart
from ..core.times import utcnow
from .base import ObjectInfo, OpenUpload, PartPage, PartSigner
from .config import StoreConfig
from .sigv4 import SigningScope, part_url_signer
from .translate import store_errors

MAX_URL_LIFETIME = timedelta(days=7)
"""The longest life that Signature Version 4 allows to a presigned URL."""

_OPAQUE_ETAG = {"aws:kms", "aws:kms:dsse"}


class S3Store:
    """One bucket of an S3-compatible store; thread-safe.

    :param bucket: the bucket's name, as in the location's URI.
    :param config: how to reach the store.
    """

    def __init__(self, bucket: str, config: StoreConfig) -> None:
        # A key knows its own tenant; the prefix addresses the bucket of another one.
        self.bucket = f"{config.tenant}:{bucket}" if config.tenant else bucket
        self._config = config
        with store_errors():
            self._session = _session(config)
            self._client = self._make_client(config.endpoint_url)
            self._public = (
                self._make_client(config.public_endpoint_url)
                if config.public_endpoint_url
                else self._client
            )

    def create_upload(
        self, key: str, *, content_type: str | None, metadata: Mapping[str, str]
    ) -> str:
        """Open a multipart upload and return the store's id of it."""
        optional = {"ContentType": content_type} if content_type else {}
        with store_errors():
            answer = self._client.create_multipart_upload(
                Bucket=self.bucket, Key=key, Metadata=dict(metadata), **optional
            )
            return str(answer["UploadId"])

    def list_parts(
        self, key: str, upload_id: str, *, after: int = 0, limit: int = 1000
    ) -> PartPage:
        """Return uploaded parts with a number above ``after``, at most ``limit``.

        Some stores (rclone 1.75) begin with ``after`` itself: one more is asked for, and it is
        left out.
        """
        with store_errors(in_upload=True):
            answer = self._client.list_parts(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                PartNumberMarker=after,
                MaxParts=min(limit + 1, 1000) if after else limit,
            )
            parts = [
                UploadedPart(part["PartNumber"], part["Size"], strip_etag(part["ETag"]))
                for part in answer.get("Parts", [])
                if part["PartNumber"] > after
            ]
        more = bool(answer.get("IsTruncated")) or len(parts) > limit
        return PartPage(parts[:limit], more=more and bool(parts))

    def complete_upload(self, key: str, upload_id: str, parts: Sequence[UploadedPart]) -> None:
        """Assemble the object from exactly these parts."""
        listed = [{"PartNumber": part.part, "ETag": f'"{part.etag}"'} for part in parts]
        with store_errors(in_upload=True):
            self._client.complete_multipart_upload(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},
            )

    def abort_upload(self, key: str, upload_id: str) -> None:
        """Drop an upload and its parts; one that is gone already is no error."""
        try:
            with store_errors(in_upload=True):
                self._client.abort_multipart_upload(Bucket=self.bucket, Key=key, UploadId=upload_id)
        except StoreUploadGone:
            return

    def find_uploads(self, key: str) -> Sequence[str]:
        """Return the ids of the open uploads of exactly this key."""
        return [upload.upload_id for upload in self.list_uploads(key) if upload.key == key]

    def list_uploads(self, prefix: str) -> Iterator[OpenUpload]:
        """Yield the open uploads whose keys begin with ``prefix``, page by page.

        rclone 1.75 answers NoSuchUpload for an empty list (measured).
        """
        with suppress(StoreUploadGone), store_errors():
            pages = self._client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.bucket, Prefix=prefix
            )
            for page in pages:
                for upload in page.get("Uploads", []):
                    yield OpenUpload(upload["Key"], str(upload["UploadId"]), upload["Initiated"])

    def head(self, key: str) -> ObjectInfo | None:
        """Describe an object, or return None when there is none."""
        with store_errors():
            try:
                answer = self._client.head_object(Bucket=self.bucket, Key=key)
            except ClientError as error:
                if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404:
                    return None
                raise
            return _object_info(answer)

    def delete(self, key: str) -> None:
        """Remove an object; one that is gone already is no error."""
        with store_errors():
            self._client.delete_object(Bucket=self.bucket, Key=key)

    def part_signer(self, key: str, upload_id: str, *, lifetime: timedelta) -> PartSigner:
        """Return a signer of part URLs that live at most ``lifetime``.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        credentials = self._credentials()
        expires_in = self._url_lifetime(credentials, lifetime)
        if self._own_signer_agrees:
            sign = part_url_signer(
                self._scope(credentials),
                bucket=self.bucket,
                key=key,
                upload_id=upload_id,
                expires_in=int(expires_in.total_seconds()),
                now=utcnow(),
            )
            return PartSigner(sign, expires_in)
        return PartSigner(
            lambda part: self._presign_part(key, upload_id, part, expires_in), expires_in
        )

    def presign_download(
        self,
        key: str,
        *,
        lifetime: timedelta,
        content_type: str | None = None,
        content_disposition: str | None = None,
    ) -> str:
        """Return a URL that answers GET with the object and the given headers."""
        headers = {
            "ResponseContentType": content_type,
            "ResponseContentDisposition": content_disposition,
        }
        parameters = {name: value for name, value in headers.items() if value}
        return self._presign(
            "get_object",
            {"Bucket": self.bucket, "Key": key, **parameters},
            self._url_lifetime(self._credentials(), lifetime),
        )

    def _make_client(self, endpoint_url: str | None) -> BaseClient:
        client = self._session.client(
            "s3",
            endpoint_url=endpoint_url,
            region_name=self._config.region,
            verify=self._config.verify,
            config=Config(**self._config.client_options),
        )
        if self._config.tenant:
            accept_tenants(client)
        return client

    def _credentials(self) -> Credentials:
        if self._config.credentials is not None:
            return self._config.credentials
        with store_errors():
            found = self._session.get_credentials()
            if found is None:
                raise StoreDenied(reason="no credentials found")
            frozen = found.get_frozen_credentials()
        # Refreshable credentials keep their end in this attribute; the SDK has no public name
        # for it.
        expires_at = getattr(found, "_expiry_time", None)
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token, expires_at)

    def _url_lifetime(self, credentials: Credentials, wanted: timedelta) -> timedelta:
        lifetime = credentials.lifetime(min(wanted, MAX_URL_LIFETIME))
        if lifetime < timedelta(seconds=1):
            raise StoreDenied(reason="the server's temporary credentials have ended")
        return timedelta(seconds=int(lifetime.total_seconds()))

    def _scope(self, credentials: Credentials) -> SigningScope:
        meta = self._public.meta
        return SigningScope(meta.endpoint_url, meta.region_name, credentials)

    def _presign(self, operation: str, parameters: dict[str, Any], lifetime: timedelta) -> str:
        with store_errors():
            return str(
                self._public.generate_presigned_url(
                    operation, Params=parameters, ExpiresIn=int(lifetime.total_seconds())
                )
            )

    def _presign_part(self, key: str, upload_id: str, part: int, lifetime: timedelta) -> str:
        parameters = {
            "Bucket": self.bucket,
            "Key": key,
            "UploadId": upload_id,
            "PartNumber": part,
        }
        return self._presign("upload_part", parameters, lifetime)

    @cached_property
    def _own_signer_agrees(self) -> bool:
        """Compare the own signer with the SDK's once, on this very client.

        Where they differ (virtual-host style, signature version 2, a special endpoint) the SDK
        signs; so no configuration can make the own signer hand out URLs that do not work.
        """
        credentials = self._credentials()
        lifetime = self._url_lifetime(credentials, timedelta(minutes=1))
        theirs = self._presign_part("a key/+~", "upload~/+=", 1, lifetime)
        signed_at = parse_qs(urlsplit(theirs).query).get("X-Amz-Date")
        if not signed_at:
            return False
        ours = part_url_signer(
            self._scope(credentials),
            bucket=self.bucket,
            key="a key/+~",
            upload_id="upload~/+=",
            expires_in=int(lifetime.total_seconds()),
            now=datetime.strptime(signed_at[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        )
        return ours(1) == theirs


def _object_info(answer: Mapping[str, Any]) -> ObjectInfo:
    opaque = answer.get("ServerSideEncryption") in _OPAQUE_ETAG or "SSECustomerAlgorithm" in answer
    return ObjectInfo(
        size=answer["ContentLength"],
        etag=strip_etag(answer["ETag"]),
        # Header names have no case, and some servers (rclone) capitalise them.
        metadata={name.lower(): value for name, value in answer.get("Metadata", {}).items()},
        content_type=answer.get("ContentType"),
        etag_is_digest=not opaque,
    )


def accept_tenants(client: Any) -> None:
    """Let a client of the SDK take ``tenant:bucket``, which Ceph wants and the SDK refuses."""
    client.meta.events.unregister("before-parameter-build.s3", validate_bucket_name)


def _session(config: StoreConfig) -> Session:
    keys = config.credentials
    if keys is None:
        return Session()
    return Session(
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )
