# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Keys of objects, made so that this instance knows its own again.

A key is laid out as invenio-files-rest does it, the id of the file in pieces, and ends in a mark
that only this instance can make: a keyed hash of the file's id. Whoever cleans a bucket up by its
list of uploads can so be sure that another application's, or another instance's, is never touched.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

MARK_LENGTH = 16
"""Hexadecimal digits of a mark: no other application's key ends in a valid one by chance."""

FORMS_FOLDER = "oarepo-s3-forms"
"""Where the objects of forms and of temporary keys lie, below the location, until their upload is
completed. A lifecycle rule removes what is left there, so nobody else may have a folder of the
name: buckets can be shared."""

_CONTEXT = b"oarepo-s3 object key"


@dataclass(frozen=True, slots=True, repr=False)
class KeyMarker:
    """Makes marks, and recognises them.

    :param secrets: what other instances do not know: the first makes marks, the others are older
        ones whose marks are still recognised. An object is always found by its URI; with its secret
        forgotten, only its orphans are left alone.
    """

    secrets: tuple[bytes, ...]

    def file_name(self, file_id: UUID) -> str:
        """Return the last component of the key of a file."""
        return _file_name(self.secrets[0], file_id)

    def file_id(self, prefix: str, key: str) -> UUID | None:
        """Return the id of the file that a key belongs to, or None for a key that is not ours.

        :param prefix: what stands before the file's id in the keys of a location.
        """
        if not key.startswith(prefix):
            return None
        *pieces, name = key.removeprefix(prefix).split("/")
        written = "".join(pieces)
        try:
            file_id = UUID(written)
        except ValueError:
            return None
        own = any(
            hmac.compare_digest(name.encode(), _file_name(secret, file_id).encode())
            for secret in self.secrets
        )
        return file_id if own and str(file_id) == written else None


def _file_name(secret: bytes, file_id: UUID) -> str:
    mark = hmac.new(secret, _CONTEXT + file_id.bytes, hashlib.sha256).hexdigest()
    return f"data-{mark[:MARK_LENGTH]}"
