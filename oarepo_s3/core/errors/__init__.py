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
    │   ├── PartsRejected           parts_rejected
    │   ├── FormNotPossible         form_not_possible
    │   └── InvalidScope            invalid_scope
    ├── AccessError                 the caller may not
    │   ├── NotAuthenticated        401  not_authenticated
    │   ├── TokenNotValid           401  token_not_valid
    │   ├── Forbidden               403  forbidden
    │   └── BucketLocked            403  bucket_locked
    ├── NotFound                    404
    │   ├── BucketNotFound          bucket_not_found
    │   ├── DraftNotFound           draft_not_found
    │   ├── ScopeNotFound           scope_not_found
    │   ├── MetricsNotServed        metrics_not_served
    │   ├── TokenNotFound           token_not_found
    │   └── UploadNotFound          upload_not_found
    ├── StateConflict               409
    │   ├── UploadNotPending        upload_not_pending
    │   ├── UploadLost              upload_lost
    │   ├── ChecksumMismatch        checksum_mismatch
    │   ├── ScopeTaken              scope_taken
    │   ├── NoUploadRole            no_upload_role
    │   ├── KeysNotPossible         keys_not_possible
    │   └── NoScope                 no_scope
    ├── UploadExpired               410  upload_expired
    ├── DatabaseUnavailable         503  database_unavailable (Retry-After)
    ├── StillCopying                503  still_copying (Retry-After)
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

from .base import (
    UploadError,
)
from .client import (
    AccessError,
    BucketLocked,
    BucketNotFound,
    ChecksumMismatch,
    DraftNotFound,
    ETagMismatch,
    FileTooLarge,
    Forbidden,
    FormNotPossible,
    InputError,
    InvalidKey,
    InvalidRequest,
    InvalidScope,
    InvalidSize,
    KeysNotPossible,
    MetricsNotServed,
    MissingParts,
    NoScope,
    NotAuthenticated,
    NotFound,
    NoUploadRole,
    PartOutOfRange,
    PartSizeMismatch,
    PartsRejected,
    QuotaExceeded,
    ScopeNotFound,
    ScopeTaken,
    StateConflict,
    TokenNotFound,
    TokenNotValid,
    TooManyParts,
    UploadExpired,
    UploadLost,
    UploadNotFound,
    UploadNotPending,
)
from .server import (
    DatabaseUnavailable,
    InvalidLocation,
    StillCopying,
    StoreDenied,
    StoreError,
    StoreFault,
    StoreMisconfigured,
    StorePartsRejected,
    StorePreconditionFailed,
    StoreUnavailable,
    StoreUploadGone,
)

__all__ = (
    "AccessError",
    "BucketLocked",
    "BucketNotFound",
    "ChecksumMismatch",
    "DatabaseUnavailable",
    "DraftNotFound",
    "ETagMismatch",
    "FileTooLarge",
    "Forbidden",
    "FormNotPossible",
    "InputError",
    "InvalidKey",
    "InvalidLocation",
    "InvalidRequest",
    "InvalidScope",
    "InvalidSize",
    "KeysNotPossible",
    "MetricsNotServed",
    "MissingParts",
    "NoScope",
    "NoUploadRole",
    "NotAuthenticated",
    "NotFound",
    "PartOutOfRange",
    "PartSizeMismatch",
    "PartsRejected",
    "QuotaExceeded",
    "ScopeNotFound",
    "ScopeTaken",
    "StateConflict",
    "StillCopying",
    "StoreDenied",
    "StoreError",
    "StoreFault",
    "StoreMisconfigured",
    "StorePartsRejected",
    "StorePreconditionFailed",
    "StoreUnavailable",
    "StoreUploadGone",
    "TokenNotFound",
    "TokenNotValid",
    "TooManyParts",
    "UploadError",
    "UploadExpired",
    "UploadLost",
    "UploadNotFound",
    "UploadNotPending",
)
