# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the operator's tools ask of a store, beyond what uploads need: each optional.

A store that lacks one of them says so by :class:`~oarepo_s3.core.errors.StoreMisconfigured` with
the reason ``NotImplemented`` or the like, or has no such method at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol, runtime_checkable

from ..core.credentials import Credentials
from .base import ObjectStore

Document = Literal["cors", "lifecycle", "policy", "public_access_block"]
"""The documents that hang on a bucket."""

ACCESS_SWITCHES = (
    "BlockPublicAcls",
    "IgnorePublicAcls",
    "BlockPublicPolicy",
    "RestrictPublicBuckets",
)
"""Of the document ``public_access_block`` (S3 API reference, PublicAccessBlockConfiguration)."""


@runtime_checkable
class AdministersBucket(Protocol):
    """A store at which a bucket can be made, described and removed.

    Documents have the shape of the S3 API: ``cors`` is ``{"CORSRules": [...]}``, ``lifecycle`` is
    ``{"Rules": [...]}``, ``policy`` a policy, ``public_access_block`` the four switches.
    """

    def bucket_exists(self) -> bool:
        """Whether the bucket is there.

        :raises StoreDenied: when the keys may not know, or the bucket is somebody else's.
        """
        ...

    def create_bucket(self) -> bool:
        """Make the bucket; False when it is there already and the keys' own.

        :raises StoreDenied: when the keys may not, or the bucket is somebody else's.
        """
        ...

    def delete_bucket(self) -> bool:
        """Remove the empty bucket; False when there is none."""
        ...

    def read_document(self, kind: Document) -> Mapping[str, Any] | None:
        """Return a document of the bucket; None when it has none.

        :raises StoreMisconfigured: with the reason ``NotImplemented``, when the store has no such
            documents at all.
        """
        ...

    def write_document(self, kind: Document, document: Mapping[str, Any]) -> None:
        """Replace a document of the bucket.

        :raises StoreMisconfigured: with the reason ``NotImplemented``, when the store has no such
            documents at all.
        """
        ...

    def is_versioned(self) -> bool:
        """Whether the bucket keeps older versions of its objects."""
        ...

    def bucket_region(self) -> str:
        """Return the name of the bucket's region, as the store says it."""
        ...

    def erase(self) -> Iterator[int]:
        """Remove all objects, all their versions and all open uploads, page by page.

        Yields how many were removed.
        """
        ...


@runtime_checkable
class AdministersRights(Protocol):
    """A store at which the policies of users and roles can be read and written."""

    def read_user_policy(self, user: str, name: str) -> Mapping[str, Any] | None:
        """Return a policy of a user; None when it, or the user, is not there."""
        ...

    def write_user_policy(self, user: str, name: str, policy: Mapping[str, Any]) -> None:
        """Give a user a policy of that name, in place of any that has it."""
        ...

    def read_role_policy(self, role: str, name: str) -> Mapping[str, Any] | None:
        """Return a policy of a role; None when it, or the role, is not there."""
        ...

    def write_role_policy(self, role: str, name: str, policy: Mapping[str, Any]) -> None:
        """Give a role a policy of that name, in place of any that has it."""
        ...

    def read_trust(self, role: str) -> Mapping[str, Any] | None:
        """Return who may assume a role; None when there is no such role."""
        ...

    def write_trust(self, role: str, trust: Mapping[str, Any]) -> None:
        """Say who may assume a role, which is made if there is none."""
        ...


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as a store lists it: size in bytes, ETag without quotes, an aware time."""

    key: str
    size: int
    etag: str
    modified: datetime


@runtime_checkable
class ListsObjects(Protocol):
    """A store that can tell which objects it has."""

    def list_objects(self, prefix: str, *, after: str = "") -> Iterator[ListedObject]:
        """Yield the objects whose keys begin with ``prefix``, page by page.

        :param after: a key; only those that follow it come.

        They come in the order of their keys' UTF-8 bytes (S3 API reference, ListObjectsV2).
        """
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where whoever has keys reaches a bucket.

    :param endpoint_url: as clients see it.
    :param bucket: the name that the store wants in addresses, with a Ceph tenant before a colon.
    """

    endpoint_url: str
    region: str
    bucket: str


@runtime_checkable
class IssuesCredentials(ObjectStore, Protocol):
    """A store that makes temporary keys out of a role, narrowed by a policy."""

    @property
    def address(self) -> Address:
        """Where the keys are of use."""
        ...

    def issue_credentials(
        self,
        *,
        role: str,
        session_name: str,
        policy: Mapping[str, Any],
        lifetime: timedelta,
    ) -> Credentials:
        """Return keys that may do what both the role and the policy allow.

        :param role: ARN of the role.
        :param session_name: 2 to 64 of ``[A-Za-z0-9_+=,.@-]``: the store's logs have it.
        :param lifetime: 15 minutes to 12 hours (STS API reference, AssumeRole).
        :raises StoreDenied: when the server's keys may not assume the role.
        :raises StoreMisconfigured: when there is no such role or no STS, or when it does not take
            the policy or the lifetime.
        """
        ...


@dataclass(frozen=True, slots=True)
class Site:
    """Who uses a store: what the operator's documents are filled in with.

    :param origins: of the pages that upload, such as ``https://repo.example.org``.
    :param bucket: the bucket's name.
    :param role: ARN of the role for temporary keys; None for none.
    """

    origins: Sequence[str]
    bucket: str
    role: str | None = None
