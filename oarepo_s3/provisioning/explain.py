# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a store's refusal means to its operator, by the code that the store gives."""

from __future__ import annotations

from dataclasses import dataclass

from ..backends.s3_bucket import S3Bucket
from ..core.errors import StoreDenied, StoreError, StoreUnavailable
from .findings import Finding, Level
from .subject import Subject

SETUP = "invenio s3 setup"
"""Asks for the address and the keys, and tries them."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a code means whatever was asked: nothing else can be tried then.

    :param check: the name of the check that it belongs to.
    """

    check: str
    message: str
    remedy: str


_KEY = Meaning(
    "keys",
    "The store does not know the access key: it is mistyped, of another store, or was removed.",
    f"{SETUP}  (or correct S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY)",
)
_SECRET = Meaning(
    "keys",
    "The secret key does not belong to the access key. (Or a proxy before the store changes the"
    " Host header, which is signed.)",
    f"{SETUP}  (or correct S3_SECRET_ACCESS_KEY)",
)
_NEITHER = Meaning(
    "keys",
    "The store refuses these keys whatever is asked, even to list buckets of their own: the access"
    " key or the secret key is wrong, or their user has no rights at all. (Ceph with STS does not"
    " say which.)",
    f"{SETUP}  (or correct S3_ACCESS_KEY_ID and S3_SECRET_ACCESS_KEY)",
)
_ENDED = Meaning(
    "keys",
    "The keys are temporary ones, and have ended or were revoked.",
    "Renew them where they come from, or give the server keys of its own: " + SETUP,
)
_NO_KEYS = Meaning("keys", "There are no keys for the store.", SETUP)
_CLOCK = Meaning(
    "clock",
    "The store refuses the requests because this machine's clock and its own are too far apart.",
    "timedatectl set-ntp true  (on the machine whose clock is wrong)",
)
_REGION = Meaning(
    "address",
    "The bucket is in another region than the one that is configured.",
    f"{SETUP}  (or correct S3_REGION_NAME)",
)
_NAME = Meaning(
    "bucket",
    "The bucket {bucket!r} has a name that no bucket can have.",
    "Correct the location's URI; for a bucket of another Ceph tenant set OAREPO_S3_TENANT.",
)
_NO_BUCKET = Meaning(
    "bucket",
    "There is no bucket {bucket!r} at the store, or it is another user's.",
    "{create}",
)
_CERTIFICATE = Meaning(
    "address",
    "The store's certificate is not trusted, or it does not speak TLS.",
    "Set S3_CA_BUNDLE to the path of the CA's certificates, or correct S3_ENDPOINT_URL.",
)
_ADDRESS = Meaning(
    "address",
    "The address of the store is none: it has to begin with https:// (or http://).",
    f"{SETUP}  (or correct S3_ENDPOINT_URL)",
)
_SUSPENDED = Meaning(
    "keys",
    "The store has suspended the user of these keys.",
    "Ask whoever runs the store.",
)

_MEANINGS = {
    "InvalidAccessKeyId": _KEY,
    "InvalidTokenId": _KEY,
    "SignatureDoesNotMatch": _SECRET,
    "ExpiredToken": _ENDED,
    "InvalidToken": _ENDED,
    "TokenRefreshRequired": _ENDED,
    "the server's temporary credentials have ended": _ENDED,
    "NoCredentialsError": _NO_KEYS,
    "PartialCredentialsError": _NO_KEYS,
    "no credentials found": _NO_KEYS,
    "RequestTimeTooSkewed": _CLOCK,
    "RequestExpired": _CLOCK,
    "PermanentRedirect": _REGION,
    "Redirect": _REGION,
    "301": _REGION,
    "307": _REGION,
    "AuthorizationHeaderMalformed": _REGION,
    "IllegalLocationConstraintException": _REGION,
    "InvalidRegionName": _REGION,
    "NoSuchBucket": _NO_BUCKET,
    "InvalidBucketName": _NAME,
    "ParamValidationError": _NAME,
    "SSLError": _CERTIFICATE,
    "EndpointResolutionError": _ADDRESS,
    "LocationParseError": _ADDRESS,
    "LocationValueError": _ADDRESS,
    "URLSchemeUnknown": _ADDRESS,
    "AccountProblem": _SUSPENDED,
    "UserSuspended": _SUSPENDED,
}

_LACKING = {"MethodNotAllowed", "NotImplemented", "405", "501", "status 501"}
"""Codes of stores that do not have a call at all."""


def reason_of(error: StoreError) -> str:
    """Return what the store, or the SDK, has called the error."""
    return str(error.context.get("reason", ""))


def is_lacking(error: StoreError) -> bool:
    """Whether the store does not have what it was asked for."""
    return reason_of(error) in _LACKING


def is_denied(error: StoreError) -> bool:
    """Whether the keys are right, and may not do it."""
    return isinstance(error, StoreDenied) and reason_of(error) not in _MEANINGS


def explain_all(error: StoreError, subject: Subject) -> Finding | None:
    """Say what an error means that stops everything; None when something else may still work."""
    reason, bucket = reason_of(error), subject.site.bucket
    meaning = _MEANINGS.get(reason)
    if meaning is not None:
        return Finding(
            meaning.check,
            Level.FAILURE,
            meaning.message.format(bucket=bucket),
            meaning.remedy.format(create=subject.create_command),
        )
    address = subject.config.endpoint_url or "AWS"
    if isinstance(error, StoreUnavailable):
        return Finding(
            "address",
            Level.FAILURE,
            f"The store at {address} does not answer, or is overloaded ({reason}).",
            f"Look whether it runs and can be reached from here; else correct the address: {SETUP}",
        )
    if "no S3 store answers there" in reason:
        return Finding(
            "address",
            Level.FAILURE,
            f"No S3 store answers at {address}: it is no address, or some other server's.",
            f"{SETUP}  (or correct S3_ENDPOINT_URL)",
        )
    return None


def explain_refusal(error: StoreError, store: S3Bucket, subject: Subject) -> Finding | None:
    """Say what it means that the keys were refused; None when other things may still be allowed.

    AWS is not asked: it says itself which key is wrong, and may well refuse the rest.
    """
    if not is_denied(error) or subject.config.endpoint_url is None:
        return None
    try:
        if store.lets_keys_in():
            return None
    except StoreError as other:
        return explain_all(other, subject)
    return Finding(_NEITHER.check, Level.FAILURE, _NEITHER.message, _NEITHER.remedy)


def explain(
    error: StoreError, check: str, doing: str, right: str | None, subject: Subject
) -> Finding:
    """Say what an error means that concerns one call alone.

    :param doing: what was tried, as "to ...".
    :param right: what the keys need for it, as policies call it.
    """
    reason = reason_of(error)
    if is_lacking(error):
        return Finding(check, Level.NOTE, f"The store has no way {doing} ({reason}): skipped.")
    if is_denied(error) and right:
        return Finding(
            check,
            Level.FAILURE,
            f"The keys may not {right}: the store refuses {doing} ({reason}).",
            f"{subject.server_command}  (prints the policy that the keys need)",
        )
    return Finding(
        check,
        Level.FAILURE,
        f"The store failed {doing} ({reason}).",
        "Try again; if it goes on, look into the store's own log.",
    )


def lacks(error: StoreError, check: str, doing: str) -> Finding:
    """Say that a store cannot do something that uploads can do without."""
    return Finding(
        check, Level.NOTE, f"The store has no way {doing} ({reason_of(error)}): not used."
    )
