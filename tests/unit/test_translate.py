# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Whatever botocore raises, what comes out is the project's own, and says nothing secret."""

from __future__ import annotations

import inspect
import traceback
from string import Formatter
from typing import Any

import pytest
from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from oarepo_s3.backends.translate import store_errors, translate
from oarepo_s3.core.errors import (
    StoreDenied,
    StoreError,
    StoreFault,
    StoreMisconfigured,
    StorePartsRejected,
    StorePreconditionFailed,
    StoreUnavailable,
    StoreUploadGone,
)

SECRET = "https://key:secret@s3.example.org/b/k?X-Amz-Signature=abc"
CLASSES = [
    cls
    for _, cls in inspect.getmembers(boto, inspect.isclass)
    if issubclass(cls, (BotoCoreError, ClientError))
]
SERVER_SIDE = {"last_response": {}, "operation_name": "x", "error_response": {}}


def make(cls: type[Any]) -> BotoCoreError | ClientError:
    """Make one of botocore's errors with a secret in all that it shows."""
    if issubclass(cls, ClientError):
        return answer("", 500, kind=cls)
    fields = {str(name).partition(".")[0] for _, name, _, _ in Formatter().parse(cls.fmt) if name}
    needed = {
        name
        for name, parameter in inspect.signature(cls.__init__).parameters.items()
        if parameter.kind is parameter.POSITIONAL_OR_KEYWORD and name not in ("self", "msg")
    }
    return cls(**{name: SERVER_SIDE.get(name, SECRET) for name in fields | needed})


def answer(code: str, status: int, kind: type[ClientError] = ClientError) -> ClientError:
    response = {
        "Error": {"Code": code, "Message": SECRET},
        "ResponseMetadata": {"HTTPStatusCode": status, "HTTPHeaders": {"location": SECRET}},
    }
    return kind(response, "UploadPart")


def come_out(error: Exception, **options: Any) -> StoreError:
    with pytest.raises(StoreError) as found, store_errors(**options):
        raise error
    return found.value


def test_the_classes_of_botocore_are_found():
    assert len(CLASSES) > 80
    assert {BotoCoreError, ClientError, boto.EndpointConnectionError} <= set(CLASSES)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_every_error_of_botocore_becomes_one_of_the_stores_and_shows_nothing(cls):
    original = make(cls)
    error = come_out(original)
    assert type(error) is not StoreError
    assert error.__cause__ is None
    assert error.__suppress_context__ is True
    shown = "".join(traceback.format_exception(error)) + repr(error) + str(error.context)
    assert "s3.example.org" not in shown
    assert "secret" not in shown
    assert "botocore" not in shown


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (boto.EndpointConnectionError(endpoint_url="x"), StoreUnavailable),
        (boto.ConnectTimeoutError(endpoint_url="x"), StoreUnavailable),
        (boto.ReadTimeoutError(endpoint_url="x"), StoreUnavailable),
        (boto.ConnectionClosedError(endpoint_url="x"), StoreUnavailable),
        (boto.ProxyConnectionError(proxy_url="x"), StoreUnavailable),
        (boto.HTTPClientError(error="x"), StoreUnavailable),
        (boto.IncompleteReadError(actual_bytes=1, expected_bytes=2), StoreUnavailable),
        (boto.SSLError(endpoint_url="x", error="x"), StoreMisconfigured),
        (boto.NoCredentialsError(), StoreDenied),
        (boto.PartialCredentialsError(provider="x", cred_var="y"), StoreDenied),
        (boto.CredentialRetrievalError(provider="x", error_msg="y"), StoreDenied),
        (boto.TokenRetrievalError(provider="x", error_msg="y"), StoreDenied),
        (boto.UnauthorizedSSOTokenError(), StoreDenied),
        (boto.FlexibleChecksumError(error_msg="x"), StoreFault),
        (boto.ParamValidationError(report="x"), StoreMisconfigured),
        (boto.NoRegionError(), StoreMisconfigured),
        (boto.UnknownSignatureVersionError(signature_version="x"), StoreMisconfigured),
        (boto.ProfileNotFound(profile="x"), StoreMisconfigured),
    ],
    ids=lambda value: getattr(value, "__name__", type(value).__name__),
)
def test_errors_without_an_answer_say_whose_turn_it_is(error, kind):
    assert type(come_out(error)) is kind


# S3 API reference, "List of error codes"; the last line of a group is what other stores add.
BY_CODE = {
    StoreUploadGone: "NoSuchUpload",
    StorePartsRejected: "InvalidPart InvalidPartOrder EntityTooSmall EntityTooLarge BadDigest"
    " MalformedXML InvalidDigest",
    StoreDenied: "AccessDenied InvalidAccessKeyId SignatureDoesNotMatch ExpiredToken InvalidToken"
    " RequestTimeTooSkewed AllAccessDisabled AccountProblem NotSignedUp"
    " RequestExpired UserSuspended",
    StoreMisconfigured: "NoSuchBucket NoSuchKey PermanentRedirect InvalidBucketName NotImplemented"
    " AuthorizationHeaderMalformed MethodNotAllowed KeyTooLongError"
    " QuotaExceeded",
    StoreUnavailable: "SlowDown ServiceUnavailable InternalError RequestTimeout OperationAborted"
    " Throttling TooManyRequests"
    " XMinioServerNotInitialized",
    StorePreconditionFailed: "PreconditionFailed ConditionalRequestConflict",
}


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind, codes in BY_CODE.items() for code in codes.split()]
)
def test_a_code_of_s3_decides_whatever_the_status_is(code, kind):
    for status in (200, 400, 404, 503):
        error = come_out(answer(code, status))
        assert type(error) is kind
        assert error.context == {"reason": code}


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, StoreFault),
        (418, StoreFault),
        (429, StoreUnavailable),
        (500, StoreFault),
        (502, StoreUnavailable),
        (503, StoreUnavailable),
        (504, StoreUnavailable),
    ],
)
def test_an_unknown_code_goes_by_the_status(status, kind):
    error = come_out(answer("SomethingNew", status))
    assert (type(error), error.context) == (kind, {"reason": "SomethingNew"})
    # To an answer without a body the SDK gives the status for a code; some give an empty one.
    assert type(come_out(answer(str(status), status))) is kind
    for nothing in ("", None):
        error = come_out(answer(nothing, status))
        assert (type(error), error.context) == (kind, {"reason": f"status {status}"})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (301, StoreMisconfigured),
        (401, StoreDenied),
        (403, StoreDenied),
        (404, StoreMisconfigured),
        (405, StoreMisconfigured),
        (412, StorePreconditionFailed),
    ],
)
def test_a_bare_status_decides_where_there_is_no_body(status, kind):
    assert type(come_out(answer(str(status), status))) is kind


def test_a_missing_key_within_an_upload_is_a_gone_upload_as_ceph_says_it():
    assert type(come_out(answer("NoSuchKey", 404), in_upload=True)) is StoreUploadGone
    assert type(come_out(answer("NoSuchKey", 404))) is StoreMisconfigured


def test_a_complete_that_meets_an_abort_shall_be_called_again():
    error = come_out(answer("BucketAlreadyExists", 409), in_upload=True)
    assert type(error) is StoreUnavailable
    assert type(come_out(answer("BucketAlreadyExists", 409))) is StoreFault


# STS API reference, AssumeRole and "Common errors".
OF_STS = {
    StoreDenied: "AccessDenied ExpiredToken ExpiredTokenException InvalidClientTokenId"
    " SignatureDoesNotMatch IncompleteSignature MissingAuthenticationToken OptInRequired"
    " UnrecognizedClientException AccessDeniedException NotAuthorized RequestExpired"
    " InvalidAccessKeyId RequestTimeTooSkewed",
    StoreMisconfigured: "MalformedPolicyDocument PackedPolicyTooLarge RegionDisabled"
    " RegionDisabledException ValidationError NoSuchEntity InvalidAction InvalidParameterValue"
    " InvalidParameterCombination InvalidQueryParameter MalformedQueryString MissingAction"
    " MissingParameter UnknownOperationException MethodNotAllowed NotImplemented"
    " InvalidArgument",
    StoreUnavailable: "InternalFailure ServiceUnavailable Throttling ThrottlingException SlowDown"
    " RequestAbortedException RequestTimeoutException RequestLimitExceeded InternalError",
}


@pytest.mark.parametrize(
    ("code", "kind"), [(code, kind) for kind, codes in OF_STS.items() for code in codes.split()]
)
def test_a_code_of_sts_decides_also_where_ceph_writes_it(code, kind):
    for error in (answer(code, 400), answer_of_ceph(code, 400)):
        found = come_out(error, in_sts=True)
        assert (type(found), found.context) == (kind, {"reason": code})
        assert SECRET not in str(found)


def answer_of_ceph(code: str, status: int) -> ClientError:
    """What the SDK makes of an error of STS that is written as those of S3 are."""
    meta = {"HTTPStatusCode": status, "RequestId": "tx1"}
    return ClientError(
        {"Code": code, "Message": SECRET, "HostId": "1", "ResponseMetadata": meta}, "AssumeRole"
    )


def test_what_only_sts_says_is_nothing_to_s3():
    assert type(come_out(answer("InvalidArgument", 400))) is StoreFault
    assert type(come_out(answer_of_ceph("InvalidArgument", 400))) is StoreFault


def test_an_answer_of_sts_without_a_code_goes_by_the_status():
    assert type(come_out(answer_of_ceph("", 503), in_sts=True)) is StoreUnavailable
    assert type(come_out(answer_of_ceph("", 400), in_sts=True)) is StoreFault


def test_a_bare_404_ends_no_upload_because_a_proxy_may_have_said_it():
    assert type(come_out(answer("404", 404), in_upload=True)) is StoreMisconfigured


@pytest.mark.parametrize("response", [{}, {"Error": {}}, {"ResponseMetadata": {}}])
def test_an_answer_without_code_and_status_is_a_fault(response):
    assert type(translate(ClientError(response, "Op"))) is StoreFault


@pytest.mark.parametrize("error", [KeyError("ETag"), ValueError(SECRET), RecursionError(SECRET)])
def test_an_answer_that_is_none_of_s3_says_that_the_address_is_wrong(error):
    found = come_out(error)
    assert type(found) is StoreMisconfigured
    assert SECRET not in str(found)
    assert found.__suppress_context__ is True


@pytest.mark.parametrize("error", [TypeError("bug"), StoreDenied(reason="x"), KeyboardInterrupt()])
def test_what_is_not_the_stores_is_left_alone(error):
    with pytest.raises(type(error)) as found, store_errors():
        raise error
    assert found.value is error
