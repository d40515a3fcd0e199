# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the server, its database or its store cannot do: 5xx, and clear answers of the store."""

from __future__ import annotations

from .base import UploadError


class DatabaseUnavailable(UploadError):
    """The database cannot be reached, or has dropped the connection."""

    code = "database_unavailable"
    status = 503
    retry_after = 10
    message = "The database cannot be reached right now. Nothing is lost: try again."


class StillCopying(UploadError):
    """A large file that came by temporary keys is on its way to its final place."""

    code = "still_copying"
    status = 503
    retry_after = 1
    message = (
        "The object store is still copying the file: {done} of {num_parts} parts are in place."
        " Complete again, and it goes on from there."
    )


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
        " The operator has to mend them; nothing is lost."
    )


class StoreMisconfigured(StoreError):
    """The request to the store cannot work as the server is configured."""

    code = "store_misconfigured"
    message = (
        "The object store's bucket or address is configured wrongly ({reason})."
        " The operator has to mend it; nothing is lost."
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
