# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What an operator does with a bucket itself: make it, describe it, remove it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from ..core.errors import StoreDenied, StoreMisconfigured
from ..core.policies import compact
from ..core.times import isoformat
from .operators import ACCESS_SWITCHES, Document
from .s3_contents import S3Contents
from .translate import code_of

_SMALLEST = "TransitionDefaultMinimumObjectSize"
"""What a lifecycle says beside its rules. AWS goes back to its own default when it is not written
with them (S3 API reference, PutBucketLifecycleConfiguration)."""

_NONE_YET = {
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
}
"""Codes that say that a bucket has no such document."""


class S3Bucket(S3Contents):
    """The bucket of an S3 store, seen by its operator."""

    def bucket_exists(self) -> bool:
        """Whether the bucket is there.

        :raises StoreDenied: when the keys may not know, or the bucket is somebody else's.
        """
        with self._call():
            try:
                self._client.head_bucket(Bucket=self.bucket)
            except ClientError as error:
                if code_of(error) in ("404", "NoSuchBucket"):
                    return False
                raise
            return True

    def lets_keys_in(self) -> bool:
        """Whether the keys may do one of two things for which they need next to no right: look for
        the bucket, or list what buckets their user has.

        Ceph that serves STS, too, answers wrong keys as it answers right ones that lack a right
        (measured with 16.2).
        """
        for ask in (self.bucket_exists, self._list_own):
            try:
                ask()
            except StoreDenied:
                continue
            return True
        return False

    def create_bucket(self) -> bool:
        """Make the bucket; False when it is there already and the keys' own.

        :raises StoreDenied: when the keys may not, or the bucket is somebody else's.
        """
        # Many stores answer to a second creation as to the first.
        if self.bucket_exists():
            return False
        with self._call():
            try:
                self._make()
            except ClientError as error:
                if code_of(error) == "BucketAlreadyOwnedByYou":
                    return False
                if code_of(error) == "BucketAlreadyExists":
                    raise StoreDenied(reason="the bucket is somebody else's") from None
                raise
            return True

    def delete_bucket(self) -> bool:
        """Remove the empty bucket; False when there is none."""
        with self._call():
            try:
                self._client.delete_bucket(Bucket=self.bucket)
            except ClientError as error:
                if code_of(error) == "NoSuchBucket":
                    return False
                raise
            return True

    def is_versioned(self) -> bool:
        """Whether the bucket keeps older versions of its objects."""
        with self._call():
            answer = self._client.get_bucket_versioning(Bucket=self.bucket)
            return bool(answer.get("Status") == "Enabled")

    def bucket_region(self) -> str:
        """Return the name of the region, as the store itself says it."""
        with self._call():
            answer = self._client.get_bucket_location(Bucket=self.bucket)
            # The first region of AWS has no name here (API reference, GetBucketLocation).
            return answer.get("LocationConstraint") or "us-east-1"

    def read_document(self, kind: Document) -> Mapping[str, Any] | None:
        """Return a document of the bucket; None when it has none.

        :raises StoreMisconfigured: with the reason ``NotImplemented``, when the store has no such
            documents at all.
        """
        read = {
            "cors": self._client.get_bucket_cors,
            "lifecycle": self._client.get_bucket_lifecycle_configuration,
            "policy": self._client.get_bucket_policy,
            "public_access_block": self._client.get_public_access_block,
        }[kind]
        with self._call():
            try:
                answer = read(Bucket=self.bucket)
            except ClientError as error:
                if code_of(error) in _NONE_YET:
                    return None
                raise
            return _document(kind, answer)

    def write_document(self, kind: Document, document: Mapping[str, Any]) -> None:
        """Replace a document of the bucket.

        :raises StoreMisconfigured: with the reason ``NotImplemented``, when the store has no such
            documents at all.
        """
        write, name = {
            "cors": (self._client.put_bucket_cors, "CORSConfiguration"),
            "lifecycle": (
                self._client.put_bucket_lifecycle_configuration,
                "LifecycleConfiguration",
            ),
            "policy": (self._client.put_bucket_policy, "Policy"),
            "public_access_block": (
                self._client.put_public_access_block,
                "PublicAccessBlockConfiguration",
            ),
        }[kind]
        content: Any = compact(document) if kind == "policy" else dict(document)
        more = {}
        if kind == "lifecycle" and _SMALLEST in content:
            more[_SMALLEST] = content.pop(_SMALLEST)
        with self._call():
            try:
                write(Bucket=self.bucket, **{name: content}, **more)
            except ClientError as error:
                # rclone 1.75 takes it for the creation of the bucket.
                if code_of(error) == "BucketAlreadyExists":
                    raise StoreMisconfigured(reason="NotImplemented") from None
                raise

    def _list_own(self) -> None:
        with self._call():
            self._client.list_buckets()

    def _make(self) -> None:
        """Create the bucket; a store with several regions wants to hear which."""
        try:
            self._client.create_bucket(Bucket=self.bucket)
        except ClientError as error:
            if code_of(error) != "IllegalLocationConstraintException":
                raise
            self._client.create_bucket(
                Bucket=self.bucket,
                CreateBucketConfiguration={"LocationConstraint": self._client.meta.region_name},
            )


def _document(kind: Document, answer: Mapping[str, Any]) -> Mapping[str, Any]:
    """Take the document out of an answer; rclone 1.75 lists the bucket instead."""
    try:
        if kind == "policy":
            policy: Mapping[str, Any] = json.loads(answer["Policy"])
            return policy
        if kind == "public_access_block":
            # The SDK makes an empty one of any answer.
            switches = answer["PublicAccessBlockConfiguration"]
            return {name: switches[name] for name in ACCESS_SWITCHES}
        named = ["CORSRules"] if kind == "cors" else ["Rules", *({_SMALLEST} & {*answer})]
        # Rules may have dates, which JSON writes as the SDK takes them as well.
        document: Mapping[str, Any] = json.loads(
            json.dumps({name: answer[name] for name in named}, default=isoformat)
        )
        return document
    except (KeyError, ValueError):
        raise StoreMisconfigured(reason="NotImplemented") from None
