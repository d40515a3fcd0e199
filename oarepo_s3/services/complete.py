# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Complete an upload: verify, assemble, prove, publish.

::

    copy what came by a form or by temporary keys into the parts
      │
    list the parts at the store ── wrong ──> 4xx, the upload stays pending
      │ right
    commit "completing"
      │
    ask the store to assemble: done, refused, or no clear answer
      │
    HEAD: our token and size? ── no, and refused ──> pending again, 4xx
      │ yes              └── no, and nothing else is clear ──> stays completing, 503, call again
      │                  └── no, and the parts are gone ──> failed, the room is given back
    one transaction: file readable, "completed"

Whatever the store answers, the object itself decides: its metadata carries the upload's token. So
a lost reply, a second caller and a worker that died all end in the same single result.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from invenio_db import db
from invenio_files_rest.models import ObjectVersion
from invenio_files_rest.signals import file_uploaded

from ..backends import ObjectInfo
from ..core.digests import ChecksumStatus
from ..core.errors import (
    ChecksumMismatch,
    InputError,
    PartsRejected,
    StoreError,
    StoreFault,
    StorePartsRejected,
    StoreUnavailable,
    StoreUploadGone,
    UploadLost,
    UploadNotPending,
)
from ..core.parts import UploadedPart, check_claims, check_uploaded
from ..core.planning import PartPlan
from ..core.states import UploadState
from ..core.times import utcnow
from ..models import Upload
from ..proxies import current_s3
from ..signals import after_upload_complete, after_upload_fail, before_upload_complete
from .announce import announce
from .buckets import publish_file, remove_file, require_open_bucket
from .journal import about
from .staged import collect_parts
from .stored import StoredUpload
from .transactions import committing, end_transaction

logger = logging.getLogger(__name__)

ASSEMBLY_TIME = timedelta(minutes=5)
"""How long a store may take to assemble an object. Until then an upload that neither has parts nor
an object may be in another caller's hands, and is not given up."""


def complete_upload(
    upload: Upload, claims: Mapping[int, str] | None = None, *, in_a_hurry: bool = True
) -> Upload:
    """Make the file of an upload readable, once; a repeated call returns the same upload.

    :param claims: the client's ETag by part number; the store's own list decides, a claim can only
        add doubt. None to rely on the store alone.
    :param in_a_hurry: somebody waits for the answer, so a large file that came by temporary keys
        may be copied in several calls. A task has the time.
    :raises InputError: when parts are missing or wrong; the upload stays pending.
    :raises UploadNotPending: when the upload was aborted or has failed.
    :raises ChecksumMismatch: when the store made something else than was declared.
    :raises UploadLost: when the store has neither the parts nor the object, or the file was removed
        from the bucket.
    :raises StillCopying: when a large file is not in its place yet; call again.
    :raises StoreError: when the store gave no clear answer; call again.
    """
    if upload.state == UploadState.COMPLETED:
        return upload
    if upload.state not in (UploadState.PENDING, UploadState.COMPLETING):
        raise UploadNotPending(state=upload.state)
    require_open_bucket(upload.bucket_id)
    _require_version(upload)
    plan = upload.plan
    if claims is not None:
        check_claims(plan, claims)
    try:
        stored, parts = collect_parts(upload, in_a_hurry=in_a_hurry)
    except StoreUploadGone as error:
        return settle_gone(upload, error)
    _verify(upload, plan, parts, claims)
    before_upload_complete.send(current_s3.app, upload=upload)
    with committing():
        ours = upload.state == UploadState.COMPLETING or (
            upload.state == UploadState.PENDING and upload.move(UploadState.COMPLETING)
        )
    if not ours:
        return complete_upload(upload, claims, in_a_hurry=in_a_hurry)
    return _assemble(upload, stored, parts)


def _verify(
    upload: Upload,
    plan: PartPlan,
    parts: list[UploadedPart],
    claims: Mapping[int, str] | None,
) -> None:
    try:
        check_uploaded(plan, parts, claims)
    except InputError:
        # The parts are still there, so nothing was assembled: they can be mended, and expire.
        with committing():
            if upload.state == UploadState.COMPLETING and not _in_other_hands(upload):
                upload.move(UploadState.PENDING)
        raise


def _require_version(upload: Upload) -> None:
    """Refuse to assemble a file that was removed meanwhile: nobody could ever read it."""
    if upload.version_id is None:
        return
    if db.session.get(ObjectVersion, upload.version_id) is None:
        raise UploadLost(reason="its file was removed from the bucket")


def _assemble(upload: Upload, stored: StoredUpload, parts: list[UploadedPart]) -> Upload:
    try:
        stored.complete(parts)
    except StoreError as error:
        return _settle(upload, stored, error)
    return _settle(upload, stored, None)


def settle_gone(upload: Upload, error: StoreUploadGone) -> Upload:
    """End an upload that the store does not know any more, by what is in its place.

    :raises UploadLost: when nothing is: a lifecycle rule or another tool has removed it.
    :raises StoreError: when the store gave no clear answer.
    """
    stored = StoredUpload.of(upload)
    end_transaction()
    if stored.staged_etag is not None:
        # Copying may just have taken another multipart upload in the place of the one asked for.
        try:
            stored.parts_after(0, 1)
        except StoreUploadGone as still:
            error = still
        else:
            raise StoreUnavailable(reason="the upload is just being completed") from error
    return _settle(upload, stored, error)


def _settle(upload: Upload, stored: StoredUpload, error: StoreError | None) -> Upload:
    """Let the object decide, whatever the store answered to the call before."""
    info = stored.head()
    if info is not None and stored.is_proved(info):
        if not info.etag:
            raise StoreFault(reason="it shows the object without an ETag")
        if stored.checksum_status(info) == ChecksumStatus.MISMATCH:
            return _refuse_content(upload, stored)
        return _publish(upload, stored, info)
    if isinstance(error, StorePartsRejected):
        # A clear refusal: nothing was made, the parts can be mended in this very upload.
        with committing():
            if upload.state == UploadState.COMPLETING:
                upload.move(UploadState.PENDING)
        raise PartsRejected(reason=error.context.get("reason")) from error
    if not isinstance(error, StoreUploadGone):
        # The parts may stand, even below an object that somebody else has put in the place.
        raise error or StoreUnavailable(reason="the new object cannot be seen yet")
    if info is not None:
        return _fail(upload, "another object is in its place")
    return _fail(
        upload,
        "neither its parts nor its object are there: a lifecycle rule or another tool"
        " may have removed them",
    )


def _publish(upload: Upload, stored: StoredUpload, info: ObjectInfo) -> Upload:
    """Make the file readable and the row completed, in one transaction; the first caller wins."""
    version = None
    with committing():
        if upload.state == UploadState.PENDING:
            upload.move(UploadState.COMPLETING)
        ours = upload.state == UploadState.COMPLETING and upload.move(
            UploadState.COMPLETED,
            etag=info.etag,
            # Of a digest that nobody can read (there were such) nothing more becomes known.
            checksum_status=stored.checksum_status(info) or upload.checksum_status,
        )
        described = about(upload)
        if ours:
            version = publish_file(upload)
    if ours:
        logger.info(
            "Upload %s was completed.",
            described["upload"],
            extra={"action": "upload_completed", **described},
        )
        announce(after_upload_complete, upload=upload)
        if version is not None:
            announce(file_uploaded, obj=version)
        # Receivers have read, or what they were sent was read for them.
        end_transaction()
        stored.forget_form()
    elif upload.state != UploadState.COMPLETED:
        # Somebody aborted while the store assembled: the object must not stay behind.
        end_transaction()
        stored.delete_own_object()
        raise UploadNotPending(state=upload.state)
    return upload


def _refuse_content(upload: Upload, stored: StoredUpload) -> Upload:
    """End an upload of which the store's own checksum says that it is not what was declared.

    Most stores refuse to make such an object, and the parts can be mended; RGW 20 with CRC64NVME
    makes it. The object goes before the row says so: a crash between leaves a row that is
    completing, and the recovery ends it.
    """
    stored.delete_own_object()
    with committing():
        failed = upload.state in (UploadState.PENDING, UploadState.COMPLETING) and upload.move(
            UploadState.FAILED,
            reason="the content at the store did not have the declared checksum",
            checksum_status=ChecksumStatus.MISMATCH.value,
        )
        described = about(upload)
        if failed:
            remove_file(upload)
    if failed:
        _report_failed(described, ChecksumMismatch.code)
        announce(after_upload_fail, upload=upload)
    if upload.state == UploadState.FAILED:
        raise ChecksumMismatch(declared=stored.declared)
    raise UploadNotPending(state=upload.state)


def _fail(upload: Upload, reason: str) -> Upload:
    """End an upload that the store has lost, give its room back and say so."""
    with committing():
        failed = not _in_other_hands(upload) and upload.move(UploadState.FAILED, reason=reason)
        described = about(upload)
        if failed:
            remove_file(upload)
    if failed:
        _report_failed(described, UploadLost.code)
        announce(after_upload_fail, upload=upload)
        raise UploadLost(reason=reason)
    if upload.state == UploadState.COMPLETED:
        return upload
    if upload.state in (UploadState.PENDING, UploadState.COMPLETING):
        raise StoreUnavailable(reason="the upload is just being completed")
    raise UploadNotPending(state=upload.state)


def _report_failed(described: dict[str, Any], code: str) -> None:
    logger.warning(
        "Upload %s has failed (%s).",
        described["upload"],
        code,
        extra={"action": "upload_failed", "code": code, **described},
    )


def _in_other_hands(upload: Upload) -> bool:
    """Whether another caller may be at it, or has just ended it."""
    if upload.state == UploadState.COMPLETING:
        return bool(utcnow() - upload.updated_at < ASSEMBLY_TIME)
    return bool(upload.state != UploadState.PENDING)
