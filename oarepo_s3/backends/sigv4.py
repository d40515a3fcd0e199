# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Presigned part URLs without the SDK's cost per URL.

All part URLs of an upload differ in one number. What they share is hashed once: the signer keeps
the SHA-256 state of the canonical request up to the part number, the HMAC state of the string to
sign up to its digest, and the signing key of the day, and per URL only the rest is computed.

The format is "Authenticating Requests: Using Query Parameters (AWS Signature Version 4)" of the
S3 API reference; the output is byte-identical to botocore's for path-style addressing, which the
tests compare, and which :class:`~oarepo_s3.backends.s3.S3Store` checks once per client.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from urllib.parse import quote, urlsplit

from ..core.credentials import Credentials

ALGORITHM = "AWS4-HMAC-SHA256"
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class SigningScope:
    """For whom and where a URL is signed; the endpoint as the client will call it."""

    endpoint_url: str
    region: str
    credentials: Credentials


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = _hmac(f"AWS4{secret_key}".encode(), day)
    return _hmac(_hmac(_hmac(key, region), "s3"), "aws4_request")


def _host_header(endpoint_url: str) -> str:
    parts = urlsplit(endpoint_url)
    host = parts.hostname or ""
    if ":" in host:
        host = f"[{host}]"
    if parts.port is not None and parts.port != _DEFAULT_PORTS.get(parts.scheme):
        return f"{host}:{parts.port}"
    return host


def _encode(value: str) -> str:
    return quote(value, safe="-._~")


def part_url_signer(
    scope: SigningScope,
    *,
    bucket: str,
    key: str,
    upload_id: str,
    expires_in: int,
    now: datetime,
) -> Callable[[int], str]:
    """Return a function from part number to presigned PUT URL.

    :param scope: endpoint, region and keys.
    :param bucket: the bucket's name, with its Ceph tenant (``tenant:bucket``) where needed.
    :param expires_in: life of the URLs in seconds, 1..604800.
    :param now: aware UTC time of signing; all URLs of the signer carry it.
    """
    timestamp = now.strftime("%Y%m%dT%H%M%SZ")
    day = timestamp[:8]
    credential_scope = f"{day}/{scope.region}/s3/aws4_request"
    parameters = {
        "X-Amz-Algorithm": ALGORITHM,
        "X-Amz-Credential": f"{scope.credentials.access_key}/{credential_scope}",
        "X-Amz-Date": timestamp,
        "X-Amz-Expires": str(expires_in),
        "X-Amz-SignedHeaders": "host",
    }
    # The URL lists the token last, as botocore does; the canonical request wants sorted names.
    if scope.credentials.token is not None:
        parameters["X-Amz-Security-Token"] = scope.credentials.token
    query = [f"{name}={_encode(value)}" for name, value in parameters.items()]

    base = urlsplit(scope.endpoint_url)
    path = f"{base.path.rstrip('/')}/{_encode(bucket)}/{quote(key, safe='-._~/')}"
    upload = _encode(upload_id)
    shared_request = hashlib.sha256(f"PUT\n{path}\n{'&'.join(sorted(query))}&partNumber=".encode())
    request_tail = (
        f"&uploadId={upload}\nhost:{_host_header(scope.endpoint_url)}\n\nhost\nUNSIGNED-PAYLOAD"
    ).encode()
    shared_signature = hmac.new(
        _signing_key(scope.credentials.secret_key, day, scope.region),
        f"{ALGORITHM}\n{timestamp}\n{credential_scope}\n".encode(),
        hashlib.sha256,
    )
    url_head = f"{base.scheme}://{base.netloc}{path}?uploadId={upload}&partNumber="
    url_tail = f"&{'&'.join(query)}&X-Amz-Signature="

    def sign(part: int) -> str:
        request = shared_request.copy()
        request.update(str(part).encode() + request_tail)
        signature = shared_signature.copy()
        signature.update(request.hexdigest().encode())
        return f"{url_head}{part}{url_tail}{signature.hexdigest()}"

    return sign
