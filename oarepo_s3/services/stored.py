# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An upload as its store sees it, in plain values.

Reading a row opens a database transaction, and one that stays open while a slow store is asked
keeps a connection (on SQLite the whole database) from others. So a service takes what it needs into
a :class:`StoredUpload`, ends its transaction, and only then calls the store.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from ..backends import (
    ByteRange,
    ObjectInfo,
    ObjectStore,
    PartPage,
    PartSigner,
    PresignsParts,
    TakesForms,
)
from ..core.checksums import is_etag_of
from ..core.digests import ChecksumStatus, Digest
from ..core.errors import (
    StoreError,
    StoreFault,
    StoreMisconfigured,
    StoreUploadGone,
    UploadLost,
)
from ..core.parts import UploadedPart
from ..core.uris import ObjectURI
from ..models import Upload
from ..proxies import current_s3

logger = logging.getLogger(__name__)

TOKEN_METADATA = "oarepo-upload-token"
"""Name of the object metadata that carries the upload's token."""

ABORT_ROUNDS = 5
"""Parts in flight can survive an abort (S3 API reference, AbortMultipartUpload): it is repeated
until the store has none, this often."""


@dataclass(frozen=True, slots=True)
class StoredUpload:
    """One upload at one store.

    :param key: the object's key.
    :param upload_id: the store's id, None while it is not known.
    :param size: bytes that the object has to have.
    :param token: mark that the object has to carry.
    :param store_checksum: algorithm in which the store keeps checksums of it; None for none.
    :param declared: the client's digest of the whole.
    :param form_key: key of the object that a form or temporary keys make; None when neither was
        handed out.
    :param staged_etag: ETag of that object when it began to be copied into the parts.
    """

    store: ObjectStore
    key: str
    upload_id: str | None
    size: int
    token: str = field(repr=False)
    content_type: str | None
    store_checksum: str | None
    declared: Digest | None
    form_key: str | None = None
    staged_etag: str | None = None

    @classmethod
    def of(cls, upload: Upload) -> StoredUpload:
        """Take what the store has to be asked out of a row.

        :raises InvalidLocation: when no back end is installed for the row's URI.
        """
        return cls(
            store=current_s3.store(upload.uri),
            key=ObjectURI.parse(upload.uri).key,
            upload_id=upload.store_upload_id,
            size=upload.size,
            token=upload.token,
            content_type=upload.content_type,
            store_checksum=upload.store_checksum,
            declared=upload.declared,
            form_key=ObjectURI.parse(upload.form_uri).key if upload.form_uri else None,
            staged_etag=upload.staged_etag,
        )

    def open(self) -> str:
        """Open the multipart upload and return the store's id of it."""
        return self.store.create_upload(
            self.key,
            content_type=self.content_type,
            metadata={TOKEN_METADATA: self.token},
            checksum=self.store_checksum,
        )

    def signer(self, lifetime: timedelta) -> PartSigner:
        """Return a signer of part URLs.

        :raises StoreMisconfigured: when the back end cannot sign.
        """
        if not isinstance(self.store, PresignsParts):
            raise StoreMisconfigured(reason="this back end cannot sign part URLs")
        return self.store.part_signer(self.key, self._opened_id, lifetime=lifetime)

    def parts_after(self, part: int, limit: int) -> PartPage:
        """Return a page of uploaded parts."""
        return self.store.list_parts(self.key, self._opened_id, after=part, limit=limit)

    def all_parts(self) -> list[UploadedPart]:
        """Return all uploaded parts, asked for page by page."""
        return all_parts(self.store, self.key, self._opened_id)

    def staged(self) -> ObjectInfo | None:
        """Describe the file that came by a form or by temporary keys; None while it has not."""
        info = self.store.head(self.form_key) if self.form_key else None
        return info if info is not None and info.size == self.size else None

    def form_has_come(self) -> bool:
        """Whether the file has been sent by a form or by temporary keys."""
        return self.staged() is not None

    def copy_staged(self, part: int, span: ByteRange | None, etag: str | None) -> bool:
        """Make what was sent, or a piece of it, a part; False when it is not there any more.

        :raises StorePreconditionFailed: when it has another ETag, at a store that looks.
        """
        if self.form_key is None or not isinstance(self.store, TakesForms):
            return False
        return self.store.copy_part(
            self.key, self._opened_id, part, source=self.form_key, span=span, etag=etag
        )

    def delete_form(self) -> None:
        """Remove what came by a form or by temporary keys."""
        if self.form_key is not None:
            self.store.delete(self.form_key)

    def clear_form(self) -> None:
        """Remove what came, and the parts of what a tool with temporary keys did not finish."""
        if self.form_key is None:
            return
        for upload_id in self.store.find_uploads(self.form_key):
            abort_until_gone(self.store, self.form_key, upload_id)
        self.delete_form()

    def forget_form(self) -> None:
        """Remove what came by a form, if the store does it now.

        It stops nothing when it does not: the sweep comes again when the form has expired.
        """
        try:
            self.delete_form()
        except StoreError as error:
            logger.warning(
                "What came by a form could not be removed (%s); the sweep does it.",
                error.code,
                extra={"action": "form_left", "key": self.form_key},
            )

    def complete(self, parts: Sequence[UploadedPart]) -> None:
        """Ask the store to assemble the object from exactly these parts."""
        self.store.complete_upload(self.key, self._opened_id, parts, checksum=self._comparable)

    def head(self) -> ObjectInfo | None:
        """Describe the object that is in the upload's place."""
        return self.store.head(self.key)

    def is_proved(self, info: ObjectInfo) -> bool:
        """Whether an object is the one that this upload made."""
        return info.size == self.size and info.metadata.get(TOKEN_METADATA) == self.token

    def checksum_status(self, info: ObjectInfo) -> ChecksumStatus | None:
        """Say what the store's own checksum of the object makes of the client's digest.

        None when there is no digest, ``declared`` when the store cannot tell. An ETag can prove an
        MD5, and cannot disprove it: it may be made of the parts, or in a way of the store's own.
        """
        if self.declared is None:
            return None
        if self._comparable is not None and info.checksum is not None:
            same = info.checksum == self._comparable
            return ChecksumStatus.VERIFIED if same else ChecksumStatus.MISMATCH
        proved = (
            info.etag_is_digest
            and self.declared.algorithm == "md5"
            and is_etag_of(self.declared.value, info.etag)
        )
        return ChecksumStatus.VERIFIED if proved else ChecksumStatus.DECLARED

    def clear(self) -> None:
        """Drop parts, object and what a form has sent, whatever there is; safe to repeat.

        :raises StoreFault: when parts are still there after some rounds.
        """
        # A server that stopped between the store's answer and the commit left a row without an
        # id: the key is unique to the upload, so the store can tell.
        found = [self.upload_id] if self.upload_id else self.store.find_uploads(self.key)
        for upload_id in found:
            abort_until_gone(self.store, self.key, upload_id)
        # A complete call that was under way may have made the object after all.
        self.delete_own_object()
        self.delete_form()

    def delete_own_object(self) -> None:
        """Remove the object, if it is the one that this upload made."""
        info = self.head()
        if info is not None and self.is_proved(info):
            self.store.delete(self.key)

    @property
    def _comparable(self) -> Digest | None:
        """The client's digest, if the store keeps checksums of the object in its algorithm."""
        comparable = self.declared and self.declared.algorithm == self.store_checksum
        return self.declared if comparable else None

    @property
    def _opened_id(self) -> str:
        if self.upload_id is None:
            raise UploadLost(reason="it was never opened there")
        return self.upload_id


def all_parts(store: ObjectStore, key: str, upload_id: str) -> list[UploadedPart]:
    """Return all uploaded parts, asked for page by page."""
    page = store.list_parts(key, upload_id)
    parts = list(page.parts)
    while page.more:
        page = store.list_parts(key, upload_id, after=parts[-1].part)
        parts += page.parts
    return parts


def abort_until_gone(store: ObjectStore, key: str, upload_id: str) -> None:
    """Drop an upload and its parts.

    :raises StoreFault: when parts are still there after some rounds.
    """
    for _ in range(ABORT_ROUNDS):
        store.abort_upload(key, upload_id)
        try:
            if not store.list_parts(key, upload_id, limit=1).parts:
                return
        except StoreUploadGone:
            return
    raise StoreFault(reason="parts were still there after repeated aborts")
