# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""botocore's errors, in the project's own words: the only place that knows both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from ..core.errors import (
    StoreDenied,
    StoreError,
    StoreFault,
    StoreMisconfigured,
    StorePartsRejected,
    StorePreconditionFailed,
    StoreUnavailable,
    StoreUploadGone,
)

# S3 API reference, "Error responses", and what real stores were seen to answer. A bare number is
# what the SDK makes of an answer without a body (to a HEAD, say).
_CODES: dict[type[StoreError], str] = {
    StoreUploadGone: "NoSuchUpload",
    StorePartsRejected: """
        BadDigest EntityTooLarge EntityTooSmall InvalidDigest InvalidPart InvalidPartNumber
        InvalidPartOrder MalformedXML
    """,
    StoreDenied: """
        AccessDenied AccountProblem AllAccessDisabled ExpiredToken InvalidAccessKeyId
        InvalidSecurity InvalidToken InvalidTokenId KMS.DisabledException NotSignedUp
        RequestExpired RequestTimeTooSkewed SignatureDoesNotMatch TokenRefreshRequired
        UserSuspended 401 403
    """,
    StoreMisconfigured: """
        AuthorizationHeaderMalformed IllegalLocationConstraintException InvalidBucketName
        InvalidBucketState InvalidObjectState InvalidRegionName InvalidRequest InvalidStorageClass
        KeyTooLongError MalformedPolicy MalformedPolicyDocument MetadataTooLarge MethodNotAllowed
        NoSuchBucket NoSuchEntity NoSuchKey NotImplemented
        PermanentRedirect QuotaExceeded Redirect 301 307 404 405
    """,
    StoreUnavailable: """
        BandwidthLimitExceeded Busy InternalError OperationAborted RequestLimitExceeded
        RequestTimeout RequestTimeoutException ServiceUnavailable SlowDown SlowDownRead
        SlowDownWrite Throttling ThrottlingException TooManyRequests TooManyRequestsException
        XMinioServerNotInitialized
    """,
    StorePreconditionFailed: "ConditionalRequestConflict PreconditionFailed 409 412",
}
CODES = {code: kind for kind, codes in _CODES.items() for code in codes.split()}
"""The project's error for each code of an S3 answer; other codes go by the HTTP status."""

_IN_UPLOAD: dict[str, type[StoreError]] = {
    "NoSuchKey": StoreUploadGone,
    "BucketAlreadyExists": StoreUnavailable,
}
"""What some codes mean in the answer to a call that names a multipart upload."""

# STS API reference, AssumeRole and "Common errors". RGW says InvalidArgument to a lifetime that is
# longer than the role allows (16.2), and rclone's server, which has no STS, that the signature is
# for something else (1.75; both measured).
_IN_STS_CODES: dict[type[StoreError], str] = {
    StoreDenied: """
        AccessDeniedException ExpiredTokenException IncompleteSignature InvalidClientTokenId
        MissingAuthenticationToken MissingAuthenticationTokenException NotAuthorized OptInRequired
        UnrecognizedClientException
    """,
    StoreMisconfigured: """
        AuthorizationParameterserror InvalidAction InvalidArgument InvalidParameterCombination
        InvalidParameterValue InvalidQueryParameter MalformedPolicyDocument MalformedQueryString
        MissingAction MissingParameter NoSuchEntity PackedPolicyTooLarge RegionDisabled
        RegionDisabledException UnknownOperationException ValidationError
    """,
    StoreUnavailable: "InternalFailure RequestAbortedException",
}
_IN_STS = {code: kind for kind, codes in _IN_STS_CODES.items() for code in codes.split()}
"""What some codes mean in the answer to a call for temporary keys."""

_BOTO: tuple[tuple[type[Exception], type[StoreError]], ...] = (
    (boto.SSLError, StoreMisconfigured),
    (boto.ConnectionError, StoreUnavailable),
    (boto.HTTPClientError, StoreUnavailable),
    (boto.IncompleteReadError, StoreUnavailable),
    (boto.CapacityNotAvailableError, StoreUnavailable),
    (boto.NoCredentialsError, StoreDenied),
    (boto.PartialCredentialsError, StoreDenied),
    (boto.CredentialRetrievalError, StoreDenied),
    (boto.MetadataRetrievalError, StoreDenied),
    (boto.TokenRetrievalError, StoreDenied),
    (boto.SSOError, StoreDenied),
    (boto.ChecksumError, StoreFault),
    (boto.FlexibleChecksumError, StoreFault),
    # What is left of the SDK's own errors says that a parameter or a setting cannot be right.
    (boto.BotoCoreError, StoreMisconfigured),
)


def translate(
    error: BotoCoreError | ClientError, *, in_upload: bool = False, in_sts: bool = False
) -> StoreError:
    """Return the project's error for one of botocore's.

    :param in_upload: the call named a multipart upload: Ceph then says NoSuchKey where others say
        NoSuchUpload (measured on RGW 16.2, 18.2 and 20.2), and BucketAlreadyExists to a complete
        that meets an abort (measured on RGW 20.2). A bare 404 is no store's word: it is
        what a proxy says that has lost its store, and must not end an upload.
    :param in_sts: the call asked for temporary keys, where some codes mean something else.
    """
    if not isinstance(error, ClientError):
        kind = next(ours for theirs, ours in _BOTO if isinstance(error, theirs))
        return kind(reason=type(error).__name__)
    code = code_of(error)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if in_sts and code in _IN_STS:
        return _IN_STS[code](reason=code)
    if in_upload and code in _IN_UPLOAD:
        return _IN_UPLOAD[code](reason=code)
    by_code = CODES.get(code)
    if by_code is None:
        by_code = StoreUnavailable if status in (429, 502, 503, 504) else StoreFault
    return by_code(reason=code or f"status {status}")


def code_of(error: ClientError) -> str:
    """Return the code of an answer; empty for none.

    Ceph writes errors of STS and IAM as those of S3, and there the SDK looks for them elsewhere.
    """
    answer = error.response
    return str(answer.get("Error", {}).get("Code") or answer.get("Code") or "")


@contextmanager
def store_errors(*, in_upload: bool = False, in_sts: bool = False) -> Iterator[None]:
    """Let nothing of botocore out of the block, which calls the store and reads its answer.

    The SDK has no error of its own for an address that is no URL, for an answer that lacks what
    S3 promises (some other web server's), and for a redirect without end.
    """
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        # The original may carry keys, headers or a signed URL: it is neither chained nor shown.
        raise translate(error, in_upload=in_upload, in_sts=in_sts) from None
    except (KeyError, ValueError, RecursionError) as error:
        raise StoreMisconfigured(
            reason=f"the address is wrong or no S3 store answers there: {type(error).__name__}"
        ) from None
