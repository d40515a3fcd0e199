# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""S3-compatible stores: AWS, Ceph RGW, MinIO and others.

Rights the server's keys need: :func:`~oarepo_s3.core.policies.server_policy`. Objects are private:
no ACL is ever sent.

Trade-offs: a control call is one blocking HTTP request through a shared pool, with the SDK's
retries; a store that keeps silent is left alone for a while (:mod:`.breaker`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import timedelta
from typing import Any

from botocore.exceptions import ClientError, ConnectTimeoutError

from ..core.checksums import strip_etag
from ..core.digests import Digest
from ..core.errors import InvalidRequest
from ..core.parts import UploadedPart
from .base import ByteRange, Form, ObjectInfo, PartPage, PartSigner
from .observe import expecting
from .s3_bucket import S3Bucket
from .s3_keys import S3Keys
from .s3_rights import S3Rights
from .translate import code_of, store_errors

READ_SIZE = 2**20
"""Bytes that are read of an object at a time."""

_OPAQUE_ETAG = {"aws:kms", "aws:kms:dsse"}


class S3Store(S3Bucket, S3Keys, S3Rights):
    """AWS, Ceph RGW, MinIO and other stores that speak S3: one bucket, thread-safe.

    :param bucket: the bucket's name, as in the location's URI.
    :param config: how to reach the store.

    What a bucket holds, and what its operator does, stands in the classes that it inherits.
    """

    def create_upload(
        self,
        key: str,
        *,
        content_type: str | None,
        metadata: Mapping[str, str],
        checksum: str | None = None,
    ) -> str:
        """Open a multipart upload and return the store's id of it."""
        optional: dict[str, str] = {}
        if content_type:
            optional["ContentType"] = content_type
        if checksum:
            optional |= {"ChecksumAlgorithm": checksum.upper(), "ChecksumType": "FULL_OBJECT"}
        with self._call():
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
        with self._call(in_upload=True):
            answer = self._client.list_parts(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                PartNumberMarker=after,
                MaxParts=min(limit + 1, 1000) if after else limit,
            )
            parts = [
                self._part(part) for part in answer.get("Parts", []) if part["PartNumber"] > after
            ]
        more = bool(answer.get("IsTruncated")) or len(parts) > limit
        return PartPage(parts[:limit], more=more and bool(parts))

    def complete_upload(
        self,
        key: str,
        upload_id: str,
        parts: Sequence[UploadedPart],
        *,
        checksum: Digest | None = None,
    ) -> None:
        """Assemble the object from exactly these parts."""
        listed = [{"PartNumber": part.part, "ETag": f'"{part.etag}"'} for part in parts]
        optional: dict[str, Any] = {}
        if checksum:
            optional |= {_field(checksum.algorithm): checksum.base64, "ChecksumType": "FULL_OBJECT"}
        if self.profile.conditional_complete:
            optional["IfNoneMatch"] = "*"
        if self.profile.size_on_complete:
            optional["MpuObjectSize"] = sum(part.size for part in parts)
        # Assembling may take long: that is not silence.
        with store_errors(in_upload=True), self._breaker.guard(ConnectTimeoutError):
            self._clients.complete.complete_multipart_upload(
                Bucket=self.bucket,
                Key=key,
                UploadId=upload_id,
                MultipartUpload={"Parts": listed},
                **optional,
            )

    def head(self, key: str) -> ObjectInfo | None:
        """Describe an object, or return None when there is none.

        Keys that may list nothing but what is below a prefix are answered 403 where there is no
        object, also below that prefix (RGW 16.2, measured). So the list has the last word.
        """
        with self._call():
            try:
                # Of a refusal nobody is to be alarmed before it is known to be one.
                with expecting({"403"}):
                    answer = self._head(key)
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                if status == 404 or (status == 403 and self._is_seen_absent(key)):
                    return None
                if status != 403:
                    raise
                answer = self._head(key)
            return self._object_info(answer)

    def _head(self, key: str) -> Mapping[str, Any]:
        optional = {"ChecksumMode": "ENABLED"} if self.profile.object_checksums else {}
        answer: Mapping[str, Any] = self._client.head_object(
            Bucket=self.bucket, Key=key, **optional
        )
        return answer

    def _is_seen_absent(self, key: str) -> bool:
        """Whether the keys may list an object, and it is not there."""
        try:
            answer = self._client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        except ClientError as error:
            if code_of(error) == "AccessDenied":
                return False
            raise
        # The key itself comes before all that begin with it.
        return all(found["Key"] != key for found in answer.get("Contents", []))

    def stream(self, key: str, start: int = 0) -> Iterator[bytes]:
        """Yield an object's content from a byte on."""
        optional = {"Range": f"bytes={start}-"} if start else {}
        with self._call():
            answer = self._client.get_object(Bucket=self.bucket, Key=key, **optional)
            with closing(answer["Body"]) as body:
                yield from body.iter_chunks(READ_SIZE)

    def part_signer(self, key: str, upload_id: str, *, lifetime: timedelta) -> PartSigner:
        """Return a signer of part URLs that live at most ``lifetime``.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        return self._signer.parts(key, upload_id, lifetime)

    def presign_form(self, key: str, *, size: int, lifetime: timedelta) -> Form:
        """Return a form that makes an object with this very key and of this very size.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        return self._signer.form(key, size, lifetime)

    def copy_part(
        self,
        key: str,
        upload_id: str,
        part: int,
        *,
        source: str,
        span: ByteRange | None = None,
        etag: str | None = None,
    ) -> bool:
        """Make an object, or a piece of it, a part of an open upload; False when there is none."""
        optional: dict[str, str] = {}
        if span is not None:
            optional["CopySourceRange"] = f"bytes={span.first}-{span.last}"
        if etag is not None:
            optional["CopySourceIfMatch"] = f'"{etag}"'
        # Copying may take long: that is not silence.
        with store_errors(), self._breaker.guard(ConnectTimeoutError):
            try:
                self._clients.complete.upload_part_copy(
                    Bucket=self.bucket,
                    Key=key,
                    UploadId=upload_id,
                    PartNumber=part,
                    CopySource={"Bucket": self.bucket, "Key": source},
                    **optional,
                )
            except ClientError as error:
                if code_of(error) == "NoSuchKey":
                    return False
                raise
            return True

    def presign_download(
        self,
        key: str,
        *,
        lifetime: timedelta,
        content_type: str | None = None,
        content_disposition: str | None = None,
        cache_control: str | None = None,
    ) -> str:
        """Return a URL that answers GET, and GET alone, with the object and the given headers.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        return self._signer.download(
            key,
            lifetime,
            {
                "ResponseContentType": content_type,
                "ResponseContentDisposition": content_disposition,
                "ResponseCacheControl": cache_control,
            },
        )

    def download_lifetime(self, wanted: timedelta) -> timedelta:
        """Return how long a URL lives that is made now and wanted for so long.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        return self._signer.lifetime(wanted)

    def _part(self, answer: Mapping[str, Any]) -> UploadedPart:
        return UploadedPart(
            answer["PartNumber"], answer["Size"], strip_etag(answer["ETag"]), self._checksum(answer)
        )

    def _object_info(self, answer: Mapping[str, Any]) -> ObjectInfo:
        opaque = (
            answer.get("ServerSideEncryption") in _OPAQUE_ETAG or "SSECustomerAlgorithm" in answer
        )
        return ObjectInfo(
            size=answer["ContentLength"],
            etag=strip_etag(answer["ETag"]),
            # Header names have no case, and some servers (rclone) capitalise them.
            metadata={name.lower(): value for name, value in answer.get("Metadata", {}).items()},
            content_type=answer.get("ContentType"),
            etag_is_digest=not opaque,
            checksum=self._checksum(answer),
        )

    def _checksum(self, answer: Mapping[str, Any]) -> Digest | None:
        """Read the checksum that the store computed of a part, or of a whole object.

        RGW 20.2 writes that of an object of one part as if it were made of the parts' checksums,
        with ``-1`` behind it (measured). With a higher number it says nothing about the whole.
        """
        for algorithm in self.profile.object_checksums:
            written = answer.get(_field(algorithm))
            if written:
                with suppress(InvalidRequest):
                    return Digest.parse(f"{algorithm}:{written.removesuffix('-1')}")
        return None


def _field(algorithm: str) -> str:
    """Return the SDK's name for a checksum."""
    return f"Checksum{algorithm.upper()}"
