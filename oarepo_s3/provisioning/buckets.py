# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A bucket as an instance needs it, and as it is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..backends import AdministersBucket, ListsUploads
from ..backends.operators import ACCESS_SWITCHES, Document
from ..core.errors import StoreDenied, StoreMisconfigured
from ..core.times import isoformat
from .merging import Change, apply_change, plan_rules, plan_switches

PRIVATE = {name: name != "BlockPublicAcls" for name in ACCESS_SWITCHES}
"""What ACLs and policies say does not open the bucket to the public; presigned URLs work all the
same. That ACLs are refused as well is left to the operator: Ceph 16.2 and 18.2 then refuse every
object, whatever its ACL (measured)."""

LACKING = {"NotImplemented", "MethodNotAllowed", "404", "405"}
"""Reasons by which stores say that they do not know a call."""


@dataclass(slots=True)
class Creation:
    """What was done to a bucket, or would be.

    :param created: whether it was not there before.
    :param changes: of its documents.
    :param notes: sentences on what the store cannot do.
    """

    created: bool
    changes: list[Change] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def create(store: AdministersBucket, lifecycle: Mapping[str, Any], *, dry_run: bool) -> Creation:
    """Make a bucket if there is none, block public access, and add the lifecycle rules.

    :raises StoreDenied: when the keys may not, or the bucket is somebody else's.
    """
    there = store.bucket_exists()
    if dry_run and not there:
        rules = Change("lifecycle", None, lifecycle, needed=True)
        return Creation(True, [Change("public_access_block", None, PRIVATE, needed=True), rules])
    made = Creation(created=not there and store.create_bucket())
    furnish(store, lifecycle, made, dry_run=dry_run)
    return made


def furnish(
    store: AdministersBucket, lifecycle: Mapping[str, Any], made: Creation, *, dry_run: bool
) -> None:
    """Block public access to a bucket that is there, and add the lifecycle rules.

    :param made: where is noted what was done, and what the store cannot do.
    :raises StoreDenied: when the keys may not.
    """
    plans: list[tuple[Callable[[], Change], str]] = [
        (
            lambda: plan_switches(store, "public_access_block", PRIVATE),
            "The store cannot block public access: see that no policy or ACL opens the bucket.",
        ),
        (
            lambda: plan_rules(store, "lifecycle", lifecycle),
            "The store has no lifecycle rules: the sweep alone removes what uploads leave behind.",
        ),
    ]
    for plan, without in plans:
        try:
            change = plan()
            if not dry_run:
                apply_change(store, change)
        except StoreMisconfigured as error:
            if error.context["reason"] not in LACKING:
                raise
            made.notes.append(without)
        else:
            made.changes.append(change)


@dataclass(slots=True)
class Description:
    """A bucket as it is; None for what the store, or the keys, do not tell, of which a note says
    why.

    :param cors: and the other documents are empty where the bucket has none.
    :param oldest_upload: when the oldest of the open uploads was begun.
    """

    region: str | None = None
    versioned: bool | None = None
    cors: Mapping[str, Any] | None = None
    lifecycle: Mapping[str, Any] | None = None
    public_access_block: Mapping[str, Any] | None = None
    open_uploads: int | None = None
    oldest_upload: str | None = None
    notes: list[str] = field(default_factory=list)


def describe(store: AdministersBucket) -> Description:
    """Return all that can be read of a bucket that is there.

    The server's own keys may not read all of it: the server does not need it.
    """
    found = Description()

    def tell(what: str, right: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except StoreDenied:
            found.notes.append(f"{what}: these keys may not read it (s3:{right}).")
        except StoreMisconfigured as error:
            if error.context["reason"] not in LACKING:
                raise
            found.notes.append(f"{what}: the store does not know such a thing.")
        return None

    def document(what: str, right: str, kind: Document) -> Any:
        return tell(what, right, lambda: store.read_document(kind) or {})

    found.region = tell("Region", "GetBucketLocation", store.bucket_region)
    found.versioned = tell("Versions", "GetBucketVersioning", store.is_versioned)
    found.cors = document("CORS", "GetBucketCORS", "cors")
    found.lifecycle = document("Lifecycle", "GetLifecycleConfiguration", "lifecycle")
    found.public_access_block = document(
        "Public access", "GetBucketPublicAccessBlock", "public_access_block"
    )
    if isinstance(store, ListsUploads):
        begun = tell(
            "Open uploads",
            "ListBucketMultipartUploads",
            lambda: [one.initiated for one in store.list_uploads("")],
        )
        if begun is not None:
            found.open_uploads = len(begun)
            found.oldest_upload = isoformat(min(begun)) if begun else None
    return found
