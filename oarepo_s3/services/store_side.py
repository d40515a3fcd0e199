# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The store's side of an upload, for operators."""

from __future__ import annotations

from dataclasses import dataclass

from ..core.errors import StoreUploadGone
from ..core.parts import UploadedPart
from ..models import Upload
from .stored import StoredUpload, all_parts
from .transactions import end_transaction


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The object in an upload's place: size in bytes, and whether the upload made it."""

    size: int
    etag: str
    proved: bool


@dataclass(frozen=True, slots=True)
class StoreSide:
    """What the store has of an upload.

    :param known: whether the store knows the multipart upload.
    :param parts: how many parts it has of it.
    :param bytes: what they hold together.
    :param highest_part: the highest number among them; 0 without any.
    :param missing_parts: how many of the planned ones it lacks.
    :param form: whether the file has come by a form and waits.
    :param object: what lies in the upload's place; None for nothing.
    """

    known: bool
    parts: int
    bytes: int
    highest_part: int
    missing_parts: int
    form: bool
    object: StoredObject | None


def look_at_store(upload: Upload) -> StoreSide:
    """Ask the store what it has of an upload, whatever the upload's state; nothing is changed.

    :raises StoreError: when the store does not answer, or not to us.
    :raises InvalidLocation: when no back end is installed for the upload's URI.
    """
    stored, plan = StoredUpload.of(upload), upload.plan
    end_transaction()
    parts = _parts(stored)
    numbers = {part.part for part in parts or ()}
    return StoreSide(
        known=parts is not None,
        parts=len(numbers),
        bytes=sum(part.size for part in parts or ()),
        highest_part=max(numbers, default=0),
        missing_parts=len(set(range(1, plan.num_parts + 1)) - numbers),
        form=stored.form_has_come(),
        object=_object(stored),
    )


def _parts(stored: StoredUpload) -> list[UploadedPart] | None:
    """Return the parts, and None of an upload that the store does not know.

    A row without the store's id can have been opened all the same.
    """
    ids = [stored.upload_id] if stored.upload_id else stored.store.find_uploads(stored.key)
    for upload_id in ids:
        try:
            return all_parts(stored.store, stored.key, upload_id)
        except StoreUploadGone:
            continue
    return None


def _object(stored: StoredUpload) -> StoredObject | None:
    info = stored.head()
    if info is None:
        return None
    return StoredObject(info.size, info.etag, proved=stored.is_proved(info))
