# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a client asked for and cannot have: 4xx."""

from __future__ import annotations

from .base import UploadError


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


class FormNotPossible(InputError):
    """A file that was to be sent as a form, to a store or of a size that does not allow it."""

    code = "form_not_possible"
    message = (
        "The file cannot be sent as a form ({reason})."
        " Send it in parts: in Uppy, set shouldUseMultipart to true."
    )


class InvalidScope(InputError):
    """A name or a prefix that a scope cannot have."""

    code = "invalid_scope"
    message = "The scope is not valid: {reason}. Choose another name or prefix."


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


class TokenNotValid(AccessError):
    """The upload token in the address opens nothing: forged, expired, revoked, or of nobody."""

    code = "token_not_valid"
    status = 401
    message = "The upload token is not valid: {reason}. Ask for a new one."


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


class DraftNotFound(NotFound):
    """No draft with that id in that service; it may have been published."""

    code = "draft_not_found"
    message = "There is no such draft. Check its id, and whether it has been published."


class ScopeNotFound(NotFound):
    """No scope with that name, or it is somebody else's."""

    code = "scope_not_found"
    message = "There is no such scope. Check its name."


class MetricsNotServed(NotFound):
    """The instance serves no metrics: it has no token for them, or lacks the package."""

    code = "metrics_not_served"
    message = "No metrics are served here. Ask the operator to set a token for them."


class TokenNotFound(NotFound):
    """No upload token with that id, or it is somebody else's."""

    code = "token_not_found"
    message = "There is no such upload token. Check its id."


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


class ScopeTaken(StateConflict):
    """A scope whose name, place or bucket is in use already."""

    code = "scope_taken"
    message = "The scope cannot be made: {reason}. Choose another name, prefix or bucket."


class NoUploadRole(StateConflict):
    """Temporary keys were asked for, and the server has no role to make them of."""

    code = "no_upload_role"
    message = (
        "No temporary keys are handed out here: OAREPO_S3_UPLOAD_ROLE is not set. Send the file"
        " in parts by presigned URLs; for keys, the operator has to set up the role"
        " (invenio s3 policy role)."
    )


class KeysNotPossible(StateConflict):
    """Temporary keys were asked for something that they cannot be narrowed to."""

    code = "keys_not_possible"
    message = (
        "No temporary keys can be handed out for this ({reason})."
        " Send the file in parts by presigned URLs."
    )


class NoScope(StateConflict):
    """Temporary keys were asked for a bucket that is not the bucket of a scope."""

    code = "no_scope"
    message = (
        "The bucket has no scope, so there is no prefix that keys could be made for."
        " Send the files in parts by presigned URLs; in Uppy, do without temporary keys."
    )


class UploadExpired(UploadError):
    """The upload's time ran out."""

    code = "upload_expired"
    status = 410
    message = "The upload expired at {expires_at}. Start a new upload."
