# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The catalogue of errors: each with a stable code, an HTTP status and what to do about it.

::

    UploadError
    ├── InputError                  400  the request cannot be right: mend it
    │   ├── InvalidRequest          invalid_request
    │   ├── InvalidKey              invalid_key
    │   ├── InvalidSize             invalid_size
    │   ├── QuotaExceeded           quota_exceeded
    │   ├── FileTooLarge            file_too_large
    │   ├── PartOutOfRange          part_out_of_range
    │   ├── TooManyParts            too_many_parts
    │   ├── MissingParts            missing_parts
    │   ├── PartSizeMismatch        part_size_mismatch
    │   ├── ETagMismatch            etag_mismatch
    │   └── PartsRejected           parts_rejected
    ├── AccessError                 the caller may not
    │   ├── NotAuthenticated        401  not_authenticated
    │   ├── Forbidden               403  forbidden
    │   └── BucketLocked            403  bucket_locked
    ├── NotFound                    404
    │   ├── BucketNotFound          bucket_not_found
    │   └── UploadNotFound          upload_not_found
    ├── StateConflict               409
    │   ├── UploadNotPending        upload_not_pending
    │   ├── UploadLost              upload_lost
    │   └── ChecksumMismatch        checksum_mismatch
    ├── UploadExpired               410  upload_expired
    ├── DatabaseUnavailable         503  database_unavailable (Retry-After)
    ├── InvalidLocation             500  invalid_location (the operator's mistake)
    └── StoreError                  the object store; see each
        ├── StoreUnavailable        503  store_unavailable (Retry-After)
        ├── StoreDenied             502  store_denied
        ├── StoreMisconfigured      502  store_misconfigured
        ├── StoreFault              502  store_fault
        ├── StoreUploadGone         409  store_upload_gone
        ├── StorePartsRejected      400  store_parts_rejected
        └── StorePreconditionFailed 409  store_precondition_failed

The code is a promise to clients: it never changes. The sentence may.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class UploadError(Exception):
    """Anything that this package refuses or cannot do.

    :param errors: details per field or part, as ``{"field": ..., "message": ...}``.
    :param context: what the sentence mentions; also kept as :attr:`context` for log lines.
    """

    code: ClassVar[str] = "upload_error"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "The upload failed. Try again; if it goes on, tell the operator."
    retry_after: ClassVar[int | None] = None
    """Seconds after which a repetition makes sense, or None."""

    def __init__(self, *, errors: Sequence[dict[str, Any]] = (), **context: Any) -> None:
        self.errors = list(errors)
        self.context = context
        super().__init__(self.message.format(**context))


class InputError(UploadError):
    """The request cannot be right; nothing was changed."""

    code = "input_error"
    status = 400
    message = "The request is not valid. Mend it and send it again."


class InvalidRequest(InputError):
    """A body or a query that is no JSON, lacks a field, or has one of the wrong kind."""

    code = "invalid_request"
    message = "The request is not valid: {reason}. Mend it and send it again."


class InvalidKey(InputError):
    """A file name that cannot be stored."""

    code = "invalid_key"
    message = "The file name is not valid: {reason}. Choose another one."


class InvalidSize(InputError):
    """A size of a file or a part that is below or above what is possible."""

    code = "invalid_size"
    message = "{size} bytes is not a possible size here. Sizes go from {min_size} to {max_size}."


class QuotaExceeded(InputError):
    """The bucket has no room left for the file."""

    code = "quota_exceeded"
    message = (
        "{size} bytes do not fit, {limit} bytes are left ({reason})"
        " Remove files or ask for a larger quota."
    )


class FileTooLarge(InputError):
    """The file is larger than a single file may be in the bucket."""

    code = "file_too_large"
    message = (
        "{size} bytes are too many, a single file may have {limit} bytes here ({reason})"
        " Split the file or ask for a larger limit."
    )


class PartOutOfRange(InputError):
    """A part number that the upload does not have."""

    code = "part_out_of_range"
    message = "There is no part {part}. This upload has parts 1 to {num_parts}."


class TooManyParts(InputError):
    """More part URLs asked for than one answer carries."""

    code = "too_many_parts"
    message = "{asked} parts are too many for one call. Ask for at most {most} at a time."


class MissingParts(InputError):
    """The upload was to be completed, but not all parts are there."""

    code = "missing_parts"
    message = "{count} of {num_parts} parts are missing: {parts}. Send them, then complete again."


class PartSizeMismatch(InputError):
    """A part at the store does not have the size that the plan gives it."""

    code = "part_size_mismatch"
    message = (
        "Parts with a wrong size: {parts}. Send each again with the size that the upload's"
        " part_size and size give it, then complete again."
    )


class ETagMismatch(InputError):
    """The client's ETag of a part is not the one that the store has."""

    code = "etag_mismatch"
    message = (
        "Parts whose ETag is not what the store has: {parts}. Send them again, or ask for the list"
        " of uploaded parts and complete with the ETags given there."
    )


class PartsRejected(InputError):
    """The store would not assemble the parts; the upload is pending as before."""

    code = "parts_rejected"
    message = (
        "The object store did not accept the parts ({reason}). Ask for the list of uploaded parts,"
        " send what is missing or wrong again, then complete again."
    )


class AccessError(UploadError):
    """The caller may not do this."""

    code = "access_error"
    status = 403
    message = "You may not do this. Ask the owner of the bucket for access."


class NotAuthenticated(AccessError):
    """Nobody is logged in."""

    code = "not_authenticated"
    status = 401
    message = "Log in or send an access token first."


class Forbidden(AccessError):
    """The caller sees the object but may not do this to it."""

    code = "forbidden"
    message = "You do not have the permission for this. Ask the owner of the bucket for access."


class BucketLocked(AccessError):
    """The bucket takes no changes."""

    code = "bucket_locked"
    message = "The bucket is locked, so no file can be added. Unlock it or use another one."


class NotFound(UploadError):
    """There is no such thing, or the caller may not know of it."""

    code = "not_found"
    status = 404
    message = "There is no such object. Check its id."


class BucketNotFound(NotFound):
    """No bucket with that id."""

    code = "bucket_not_found"
    message = "There is no such bucket. Check its id."


class UploadNotFound(NotFound):
    """No upload with that id."""

    code = "upload_not_found"
    message = "There is no such upload. Check its id, or start a new upload."


class StateConflict(UploadError):
    """What was asked does not fit the state of the upload."""

    code = "state_conflict"
    status = 409
    message = "The upload is not in a state that allows this. Look at its state first."


class UploadNotPending(StateConflict):
    """The upload has ended, or is just ending."""

    code = "upload_not_pending"
    message = "The upload is {state}, so this cannot be done any more. Start a new upload."


class UploadLost(StateConflict):
    """The store no longer has the parts (a lifecycle rule, another tool)."""

    code = "upload_lost"
    message = "The object store no longer has this upload ({reason}). Start a new upload."


class ChecksumMismatch(StateConflict):
    """What the store has made is not the file that the client declared."""

    code = "checksum_mismatch"
    message = (
        "What arrived at the object store does not have the declared checksum ({declared})."
        " It was removed. Start a new upload."
    )


class UploadExpired(UploadError):
    """The upload's time ran out."""

    code = "upload_expired"
    status = 410
    message = "The upload expired at {expires_at}. Start a new upload."


class DatabaseUnavailable(UploadError):
    """The database cannot be reached, or has dropped the connection."""

    code = "database_unavailable"
    status = 503
    retry_after = 10
    message = "The database cannot be reached right now. Nothing is lost: try again."


class InvalidLocation(UploadError):
    """A location URI that no installed back end understands."""

    code = "invalid_location"
    status = 500
    message = "No back end for the location {uri!r}. The operator has to mend the location's URI."


class StoreError(UploadError):
    """The object store did not do what it was asked to."""

    code = "store_error"
    status = 502
    message = "The object store answered with an error ({reason}). Try again."


class StoreUnavailable(StoreError):
    """The store cannot be reached, is too slow or asks for patience."""

    code = "store_unavailable"
    status = 503
    retry_after = 10
    message = "The object store cannot be reached right now ({reason}). Nothing is lost: try again."


class StoreDenied(StoreError):
    """The store refuses the server's own credentials."""

    code = "store_denied"
    message = (
        "The object store refused the server's credentials ({reason})."
        " The operator has to mend them; the upload is kept."
    )


class StoreMisconfigured(StoreError):
    """The request to the store cannot work as the server is configured."""

    code = "store_misconfigured"
    message = (
        "The object store's bucket or address is configured wrongly ({reason})."
        " The operator has to mend it; the upload is kept."
    )


class StoreFault(StoreError):
    """An answer of the store that is none of the others."""

    code = "store_fault"
    message = (
        "The object store answered with an error ({reason})."
        " Try again; if it goes on, tell the operator."
    )


class StoreUploadGone(StoreError):
    """The store does not know the multipart upload: completed, aborted or expired there."""

    code = "store_upload_gone"
    status = 409
    message = (
        "The object store does not know this multipart upload any more ({reason})."
        " Start a new upload."
    )


class StorePartsRejected(StoreError):
    """The store refuses the list of parts; the multipart upload still stands."""

    code = "store_parts_rejected"
    status = 400
    message = (
        "The object store did not accept the list of parts ({reason})."
        " Send what is missing or wrong again."
    )


class StorePreconditionFailed(StoreError):
    """A condition sent with the request does not hold (an object exists already)."""

    code = "store_precondition_failed"
    status = 409
    message = (
        "A condition of the request does not hold at the object store ({reason})."
        " Look at what is there, then try again."
    )
