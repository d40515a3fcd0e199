# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Where a store is tried: test objects in a folder of their own, all of them removed at the end."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ..backends import Profile
from ..backends.s3 import S3Store
from ..backends.s3_trial import S3Trial
from ..core.errors import (
    StoreDenied,
    StoreError,
    StoreMisconfigured,
    StoreUnavailable,
    StoreUploadGone,
)
from ..core.parts import UploadedPart
from .explain import explain, explain_all, explain_refusal, lacks
from .findings import Finding, Level
from .subject import Subject
from .web import Web

logger = logging.getLogger(__name__)

CONTENT = b"A test of this store by invenio s3 check."


class Stop(Exception):
    """Nothing else can be tried; the finding that says why is there already."""


class Bench:
    """One store under test.

    Every key is noted before the store is asked to make anything there: an answer that is lost
    leaves nothing behind.

    :param findings: where what is found is added.
    :raises StoreError: when the address is none.
    """

    def __init__(self, subject: Subject, web: Web, findings: list[Finding]) -> None:
        # No pause after silence: the cleaning has to be tried, too.
        public = replace(subject.config, silence_pause=0, profile=Profile("tried"))
        config = replace(public, public_endpoint_url=None)
        self.subject = subject
        self.web = web
        self.findings = findings
        self.config = config
        self.store = S3Trial(subject.site.bucket, config)
        """As the server sees it; its URLs are for the server, too."""
        self.public: S3Store = self.store
        """Signs URLs for the browser."""
        if public != config:
            self.public = S3Store(subject.site.bucket, public)
        self.public_url = subject.config.public_endpoint_url or self.store.endpoint_url
        """Where browsers reach the store."""
        self.folder = f"{subject.base}check-{uuid.uuid4()}/"
        self.may_delete = True
        self.may_abort = True
        self.versioned = False
        self.welcome: list[str] = []
        """The origins whose pages may send parts."""
        self.abilities = subject.config.profile
        """What is known of the store so far: what is expected, until it is tried."""
        self._objects: list[str] = []
        self._uploads: list[tuple[str, str | None]] = []

    @property
    def origins(self) -> tuple[str, ...]:
        """Of the pages that upload."""
        return tuple(self.subject.site.origins)

    def can(self, **abilities: Any) -> None:
        """Note what the store was found to be able to do, by the fields of a profile."""
        self.abilities = replace(self.abilities, **abilities)

    def found(self, check: str, level: Level, message: str, remedy: str | None = None) -> None:
        """Add a finding."""
        self.findings.append(Finding(check, level, message, remedy))

    @contextmanager
    def trying(
        self, check: str, doing: str, right: str | None = None, *, optional: bool = False
    ) -> Iterator[None]:
        """Make a finding of what the store refuses in the block.

        :param doing: as "to ...".
        :param right: what the keys need for it.
        :param optional: uploads can do without it.
        :raises Stop: when nothing else can be tried.
        """
        try:
            yield
        except StoreError as error:
            self.stop_at(error)
            if optional:
                self.findings.append(lacks(error, check, doing))
            else:
                self.refused(error, check, doing, right)

    def refused(self, error: StoreError, check: str, doing: str, right: str | None) -> None:
        """Add what a refusal means that concerns one call alone."""
        self.findings.append(explain(error, check, doing, right, self.subject))

    def stop_at(self, error: StoreError) -> None:
        """Stop at an error that would come at every call; return at any other.

        :raises Stop: with the error's meaning among the findings.
        """
        self._stop_with(explain_all(error, self.subject), error)

    def stop_at_refusal(self, error: StoreError) -> None:
        """Stop at the first call when the store refuses the keys everything.

        :raises Stop: with that among the findings.
        """
        self._stop_with(explain_refusal(error, self.store, self.subject), error)

    def _stop_with(self, finding: Finding | None, error: StoreError) -> None:
        if finding is not None:
            self.findings.append(finding)
            raise Stop from error

    def put(self, name: str, content: bytes = CONTENT) -> str:
        """Write a test object and return its key."""
        key = self.reserve(name)
        with self._unless_refused(self._objects, key):
            if self.store.put(key, content) is not None:
                self.versioned = True
        return key

    def reserve(self, name: str) -> str:
        """Return the key of a test object that may come to be, and will be removed."""
        key = f"{self.folder}{name}"
        if key not in self._objects:
            self._objects.append(key)
        return key

    def open(
        self, name: str, checksum: str | None = None, store: S3Store | None = None
    ) -> tuple[str, str]:
        """Open a test upload; return its key and the store's id.

        :param store: with other keys than the server's.
        """
        key = self.reserve(name)
        self._uploads.append((key, None))
        with self._unless_refused(self._uploads, (key, None)):
            upload_id = (store or self.store).create_upload(
                key, content_type=None, metadata={}, checksum=checksum
            )
            self._uploads[-1] = (key, upload_id)
        return key, upload_id

    def fill(
        self, key: str, upload_id: str, contents: Sequence[bytes] = (CONTENT,)
    ) -> Sequence[UploadedPart]:
        """Send the parts of a test upload, as the server; return them as the store lists them."""
        for number, content in enumerate(contents, start=1):
            self.store.put_part(key, upload_id, number, content)
        return self.store.list_parts(key, upload_id).parts

    def ended(self, key: str, upload_id: str) -> None:
        """Forget an upload that the store has clearly completed or aborted."""
        self._uploads.remove((key, upload_id))

    def removed(self, key: str) -> None:
        """Forget an object that has clearly been removed."""
        self._objects.remove(key)

    @contextmanager
    def _unless_refused(self, noted: list[Any], what: Any) -> Iterator[None]:
        """Forget what was noted when the store says clearly that it has made nothing."""
        try:
            yield
        except (StoreDenied, StoreMisconfigured):
            noted.remove(what)
            raise

    def clean(self) -> list[str]:
        """Remove all that was made; return what could not be, each with the reason."""
        left = []
        for key, upload_id in reversed(self._uploads):
            try:
                for known in [upload_id] if upload_id else self.store.find_uploads(key):
                    self._abort(key, known)
            except StoreError as error:
                left.append(f"the open upload of {key} ({_short(error)})")
        for key in reversed(self._objects):
            try:
                self.store.delete(key)
            except StoreError as error:
                if self._is_there(key):
                    left.append(f"{key} ({_short(error)})")
        left += self._clean_versions()
        if left:
            # Also where nobody sees the report, because the check was interrupted.
            logger.warning(
                "Left behind by a check: %s",
                "; ".join(left),
                extra={"action": "check_left", "folder": self.folder},
            )
        return left

    def _abort(self, key: str, upload_id: str) -> None:
        self.store.abort_upload(key, upload_id)
        try:
            self.store.list_parts(key, upload_id, limit=1)
        except StoreUploadGone:
            return
        except StoreUnavailable:
            raise
        except StoreError:
            # It cannot be asked whether it is gone; it has said so.
            return
        self.store.abort_upload(key, upload_id)

    def _is_there(self, key: str) -> bool:
        """Whether an object is there; one that cannot be seen is taken to be."""
        try:
            return self.store.head(key) is not None
        except StoreError:
            return True

    def _clean_versions(self) -> list[str]:
        """Remove what a bucket with versions keeps of removed objects."""
        if not self.versioned:
            return []
        try:
            for version in list(self.store.versions(self.folder)):
                self.store.delete_version(version)
        except StoreError as error:
            return [f"old versions of what was below {self.folder} ({_short(error)})"]
        return []


def _short(error: StoreError) -> str:
    return str(error.context.get("reason") or error.code)
