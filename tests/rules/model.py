# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a bucket, its versions and its uploads have to be: the expectation of the state machine.

It is computed from the rules alone, in plain Python, and never asks the code under test. The rules
of invenio-files-rest in it: every version counts its file's size, old ones too; a delete marker
takes the size of the version that it covers off; so does the removal of a version for good.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from oarepo_s3.core import errors

PART = 4
"""Bytes of a part: the machine runs with tiny limits, so that its files are tiny as well."""

ENDED = ("completed", "aborted", "failed")


@dataclass(eq=False)
class ModelFile:
    """A file instance."""

    content: bytes
    readable: bool


@dataclass(eq=False)
class ModelVersion:
    """An object version; a delete marker when it has no file."""

    version_id: UUID | None
    bucket: str
    key: str
    file: ModelFile | None
    counted: bool
    """Whether the bucket's size has it."""


@dataclass(eq=False)
class ModelUpload:
    """An upload; ``version`` is there from the start when it was opened by assignment."""

    upload_id: UUID
    key: str
    content: bytes
    state: str
    reserved: int = 0
    file: ModelFile | None = None
    version: ModelVersion | None = None
    has_id: bool = True
    """Whether the row knows the store's id of it."""
    at_store: bool = True
    """Whether the store has it open."""
    object_there: bool = False
    """Whether the store has assembled its object."""
    sent: set[int] = field(default_factory=set)
    over_time: bool = False
    rested: bool = False
    """Whether nobody has touched the row for longer than a store needs to assemble."""

    def __repr__(self) -> str:
        return f"<{self.key} {self.state} {len(self.content)} bytes>"

    @property
    def parts(self) -> set[int]:
        """Numbers of all its parts."""
        return set(range(1, max(1, -(-len(self.content) // PART)) + 1))

    def move(self, state: str) -> None:
        """Change the state, which touches the row."""
        self.state, self.rested = state, False


class Model:
    """Two buckets: uploads go to ``draft``, which has a quota; copies may go to ``other``."""

    def __init__(self, quota: int) -> None:
        self.quota = quota
        self.locked = False
        self.versions: list[ModelVersion] = []
        """In the order of their creation."""
        self.uploads: list[ModelUpload] = []

    def size(self, bucket: str = "draft") -> int:
        """Bytes that the bucket has to say it holds."""
        counted = sum(
            len(version.file.content)
            for version in self.versions
            if version.file and version.counted and version.bucket == bucket
        )
        return counted + (self.reserved if bucket == "draft" else 0)

    @property
    def reserved(self) -> int:
        """Bytes that open uploads hold without a version."""
        return sum(upload.reserved for upload in self.uploads)

    def has_room(self, size: int) -> bool:
        """Whether a file fits into what the quota leaves."""
        return size <= self.quota - self.size()

    def head(self, bucket: str, key: str) -> ModelVersion | None:
        """Return the newest version of a key, which may be a delete marker."""
        found = [v for v in self.versions if (v.bucket, v.key) == (bucket, key)]
        return found[-1] if found else None

    def heads(self) -> set[UUID]:
        """Ids of the versions that have to be marked as the newest of their key."""
        newest = {(v.bucket, v.key): v.version_id for v in self.versions}
        return set(newest.values())

    def alive(self) -> list[ModelUpload]:
        """Uploads that are not ended."""
        return [upload for upload in self.uploads if upload.state not in ENDED]

    # What uploaders do

    def begin(self, upload_id: UUID, key: str, content: bytes, fault: str | None) -> None:
        """An upload was opened by the REST API, or that failed at the store."""
        state = {None: "pending", "refused": "failed"}.get(fault, "expired")
        upload = ModelUpload(upload_id, key, content, state)
        upload.reserved = 0 if fault else len(content)
        upload.has_id = not fault
        upload.at_store = fault in (None, "answer lost")
        self.uploads.append(upload)

    def assign(self, upload_id: UUID, key: str, content: bytes, version_id: UUID) -> None:
        """An upload was assigned."""
        upload = ModelUpload(upload_id, key, content, "pending")
        upload.file = ModelFile(content, readable=False)
        upload.version = self.add_version(version_id, "draft", key, upload.file)
        self.uploads.append(upload)

    def complete(self, upload: ModelUpload, fault: str | None) -> type[Exception] | None:
        """Complete an upload; return the error that comes of it.

        The id of a new version is filled in when it is known.
        """
        if upload.state == "completed":
            return None
        if upload.state not in ("pending", "completing"):
            return errors.UploadNotPending
        if self.locked:
            return errors.BucketLocked
        if upload.version is not None and upload.version not in self.versions:
            return errors.UploadLost
        if fault == "no list":
            return errors.StoreUnavailable
        if not upload.at_store:
            return self._settle(upload, fault)
        if upload.sent != upload.parts:
            return errors.MissingParts
        if fault == "refused":
            upload.move("pending")
            return errors.PartsRejected
        if upload.state == "pending":
            upload.move("completing")
        if fault == "not done":
            return errors.StoreUnavailable
        upload.at_store, upload.object_there = False, True
        return self._settle(upload, fault)

    def _settle(self, upload: ModelUpload, fault: str | None) -> type[Exception] | None:
        """The store does not have it open any more: its object decides."""
        if fault == "not seen":
            return errors.StoreUnavailable
        if upload.object_there:
            self._publish(upload)
            return None
        if upload.state == "completing" and not upload.rested:
            return errors.StoreUnavailable
        self._end(upload, "failed")
        return errors.UploadLost

    def _publish(self, upload: ModelUpload) -> None:
        upload.move("completed")
        if upload.version is None:
            upload.reserved = 0
            upload.file = ModelFile(upload.content, readable=True)
            upload.version = self.add_version(None, "draft", upload.key, upload.file)
        upload.file.readable = True

    def abort(self, upload: ModelUpload, fault: str | None) -> type[Exception] | None:
        """Abort an upload; return the error that comes of it."""
        if upload.state in ("aborted", "failed"):
            return None
        if upload.state == "completed":
            return errors.UploadNotPending
        if upload.state in ("pending", "completing"):
            upload.move("aborting")
        return self._drop(upload, fault)

    def _drop(self, upload: ModelUpload, fault: str | None) -> type[Exception] | None:
        if fault == "abort_upload" and (upload.has_id or upload.at_store):
            return errors.StoreUnavailable
        upload.at_store = False
        if fault == "head":
            return errors.StoreUnavailable
        self._end(upload, "aborted")
        return None

    def _end(self, upload: ModelUpload, state: str) -> None:
        """Nothing of an upload is left."""
        upload.move(state)
        upload.reserved = 0
        upload.at_store = upload.object_there = False
        if upload.file is not None:
            self.versions = [v for v in self.versions if v.file is not upload.file]

    # What the tasks do

    def over(self) -> list[ModelUpload]:
        """Uploads that a sweep has to end, in its order."""
        return self._in_order(
            u
            for u in self.uploads
            if u.state == "expired" or (u.state == "pending" and u.over_time)
        )

    def sweep(self, fault: str | None) -> list[type[Exception] | None]:
        """End what is over time; the fault meets the first. Return what came of each."""
        over = self.over()
        for upload in over:
            upload.move("expired")
        return [self._drop(upload, fault if upload is over[0] else None) for upload in over]

    def interrupted(self) -> list[ModelUpload]:
        """Uploads that a recovery has to end, in its order, when they have rested."""
        return self._in_order(u for u in self.uploads if u.state in ("completing", "aborting"))

    def recover(self) -> None:
        """Finish what was interrupted; a completion whose version was removed is aborted."""
        for upload in self.interrupted():
            if upload.state == "aborting":
                self._drop(upload, None)
            elif self.complete(upload, None) is errors.UploadLost and upload.state not in ENDED:
                self.abort(upload, None)

    @staticmethod
    def _in_order(uploads: Iterable[ModelUpload]) -> list[ModelUpload]:
        return sorted(uploads, key=lambda upload: upload.upload_id)

    # What files-rest and its callers do

    def add_version(
        self, version_id: UUID | None, bucket: str, key: str, file: ModelFile
    ) -> ModelVersion:
        """A version was put on top of a key; its bytes count."""
        version = ModelVersion(version_id, bucket, key, file, counted=True)
        self.versions.append(version)
        return version

    def write(self, version_id: UUID, key: str, content: bytes) -> None:
        """An ordinary file was saved."""
        self.add_version(version_id, "draft", key, ModelFile(content, readable=True))

    def shown(self) -> list[str]:
        """Keys that a delete marker can cover."""
        keys = {version.key for version in self.versions}
        heads = {key: self.head("draft", key) for key in keys}
        return sorted(key for key, head in heads.items() if head and head.file)

    def cover(self, marker_id: UUID, key: str) -> None:
        """A delete marker was put on top of a key."""
        self.head("draft", key).counted = False
        self.versions.append(ModelVersion(marker_id, "draft", key, None, counted=False))

    def with_file(self) -> list[ModelVersion]:
        """Versions that are no delete markers."""
        return [version for version in self.versions if version.file]

    def removable(self) -> list[ModelVersion]:
        """Versions that may be removed for good.

        Not those below a delete marker: files-rest takes their size off a second time.
        """
        return [v for v in self.with_file() if v.counted and v.bucket == "draft"]

    def is_shared(self, file: ModelFile | None) -> bool:
        """Whether any version has the file."""
        return any(version.file is file for version in self.versions)

    def orphans(self) -> list[ModelUpload]:
        """Uploads with a file that files-rest removes: no version has it, and it can be written."""
        return [
            upload
            for upload in self.alive()
            if upload.file and not upload.file.readable and not self.is_shared(upload.file)
        ]

    def drop(self, orphans: list[ModelUpload]) -> None:
        """files-rest has removed their files, and what the store had at their place."""
        for upload in orphans:
            upload.object_there = False
