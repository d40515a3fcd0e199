# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Drop an upload: parts, object, version, file, and give the room back."""

from __future__ import annotations

import logging
from uuid import UUID

from invenio_db import db

from ..core.errors import UploadNotPending
from ..core.states import UploadState
from ..models import Upload
from ..proxies import current_s3
from ..signals import after_upload_abort, before_upload_abort
from .announce import announce
from .buckets import remove_file
from .journal import about
from .stored import StoredUpload
from .transactions import committing, end_transaction, roll_back

logger = logging.getLogger(__name__)

_ENDED = (UploadState.ABORTED, UploadState.FAILED)
_ENDING = (UploadState.ABORTING, UploadState.EXPIRED)
"""From here an upload can only become aborted, so its parts and its object may go."""


def abort_upload(upload: Upload) -> Upload:
    """Drop an upload by the wish of a client; a repeated call returns the same upload.

    :raises UploadNotPending: when the upload is completed.
    :raises StoreError: when the store did not do it; the row stays aborting, call again.
    """
    if upload.state in _ENDED:
        return upload
    if upload.state == UploadState.COMPLETED:
        raise UploadNotPending(state=upload.state)
    before_upload_abort.send(current_s3.app, upload=upload)
    with committing():
        if upload.state in (UploadState.PENDING, UploadState.COMPLETING):
            upload.move(UploadState.ABORTING)
    if upload.state not in _ENDING:
        # Somebody else was faster: look again at what they made of it.
        return abort_upload(upload)
    return drop_upload(upload)


def drop_upload(upload: Upload) -> Upload:
    """Finish what ``aborting`` or ``expired`` began; safe to repeat and to run twice at once.

    :raises StoreError: when the store did not do it; the state stays as it is.
    """
    if upload.state not in _ENDING:
        return upload
    stored = StoredUpload.of(upload)
    end_transaction()
    stored.clear()
    return finish_drop(upload)


def drop_unsaved(upload_id: UUID, stored: StoredUpload) -> bool:
    """Drop what a transaction opened at the store and then did not commit.

    What is left of that transaction is rolled back. With a row in the database nothing happens:
    a commit whose answer was lost may have worked.

    :returns: whether there was no row.
    :raises StoreError: when the store did not do it; the sweep of orphans will.
    """
    roll_back()
    saved = db.session.get(Upload, upload_id) is not None
    roll_back()
    if not saved:
        stored.clear()
    return not saved


def finish_drop(upload: Upload) -> Upload:
    """End an upload of which nothing is left at the store, and give its room back."""
    with committing():
        moved = upload.state in _ENDING and upload.move(UploadState.ABORTED)
        described = about(upload)
        if moved:
            remove_file(upload)
    if moved:
        logger.info(
            "Upload %s was aborted.",
            described["upload"],
            extra={"action": "upload_aborted", **described},
        )
        announce(after_upload_abort, upload=upload)
    return upload
