# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Part URLs: byte for byte what botocore would have signed, and no longer-lived than the keys."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.config import Config
from botocore.handlers import validate_bucket_name
from botocore.session import Session

from oarepo_s3.backends.sigv4 import SigningScope, part_url_signer
from oarepo_s3.core.credentials import Credentials

ENDPOINTS = [
    "http://127.0.0.1:9000",
    "http://s3.example.org:80",
    "https://s3.example.org:443",
    "https://s3.example.org:80",
    "https://S3.Example.ORG",
    "http://S3.Example.ORG:8080",
    "https://example.org/store",
    "https://example.org/a/b/",
    "http://[::1]:9000",
    None,
]
REGIONS = ["us-east-1", "eu-central-1"]
TOKENS = [None, "", "a/token+with=all~kinds of%things"]
BUCKETS = ["bucket", "tenant:bucket", "dots.in.name", "UPPER_case"]
KEYS = [
    "ab/cd/1234/data",
    "a b",
    " a+b ",
    "100%.txt",
    "%20",
    "(a)#b",
    "~'!*;,@:$&=",
    "příliš/žluťoučký/日本/😀",
    "//double//slashes//",
    "./a/../b",
    "a?b=c&d",
    'a\\b"<>[]{}|^`',
    "line\nbreak\t",
    "x" * 255,
]
UPLOAD_IDS = ["2~Bkdth3N-Xb__aF5bVGgG1wmAegB5p6l", "a+b/c=%d &?~"]
PARTS = [1, 9999, 10_000]
EXPIRIES = [1, 3600, 604_800]

COMBINATIONS = list(product(BUCKETS, KEYS))
"""Signed at each endpoint, for each region and token; the rest of the values take turns."""


def keys(token: str | None) -> Credentials:
    return Credentials("AKID/EXAMPLE+", "secret/with+all=kinds", token)


def client(endpoint: str | None, region: str, token: str | None) -> Any:
    """A botocore client that signs as S3Store's does."""
    session = Session()
    session.set_credentials("AKID/EXAMPLE+", "secret/with+all=kinds", token)
    made = session.create_client(
        "s3",
        endpoint_url=endpoint,
        region_name=region,
        config=Config(signature_version="s3v4", s3={"addressing_style": "path"}),
    )
    made.meta.events.unregister("before-parameter-build.s3", validate_bucket_name)
    return made


def signed_at(url: str) -> datetime:
    stamp = parse_qs(urlsplit(url).query)["X-Amz-Date"][0]
    return datetime.strptime(stamp, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def test_more_than_a_thousand_combinations_are_compared():
    assert len(COMBINATIONS) * len(REGIONS) * len(TOKENS) * len(ENDPOINTS) > 1000


@pytest.mark.parametrize("token", TOKENS, ids=["fixed keys", "empty token", "temporary keys"])
@pytest.mark.parametrize("region", REGIONS)
@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=str)
def test_a_part_url_is_byte_for_byte_that_of_botocore(endpoint, region, token):
    theirs = client(endpoint, region, token)
    scope = SigningScope(theirs.meta.endpoint_url, theirs.meta.region_name, keys(token))
    for turn, (bucket, key) in enumerate(COMBINATIONS):
        upload_id = UPLOAD_IDS[turn % 2]
        part, expires_in = PARTS[turn % 3], EXPIRIES[turn // 3 % 3]
        expected = theirs.generate_presigned_url(
            "upload_part",
            Params={"Bucket": bucket, "Key": key, "UploadId": upload_id, "PartNumber": part},
            ExpiresIn=expires_in,
        )
        sign = part_url_signer(
            scope,
            bucket=bucket,
            key=key,
            upload_id=upload_id,
            expires_in=expires_in,
            now=signed_at(expected),
        )
        assert sign(part) == expected


def signer(**changes: Any) -> Any:
    scope = {"endpoint_url": "https://s3.example.org", "region": "us-east-1", "token": None}
    scope.update({name: changes.pop(name) for name in list(changes) if name in scope})
    arguments: dict[str, Any] = {
        "bucket": "bucket",
        "key": "key",
        "upload_id": "upload",
        "expires_in": 60,
        "now": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    }
    arguments.update(changes)
    return part_url_signer(
        SigningScope(scope["endpoint_url"], scope["region"], keys(scope["token"])), **arguments
    )


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_one_signer_signs_all_parts_in_any_order():
    sign = signer()
    backwards = {part: sign(part) for part in range(10_000, 0, -1)}
    assert all(signer()(part) == backwards[part] for part in (1, 2, 5000, 10_000))
    assert len(set(backwards.values())) == 10_000


def test_the_day_and_the_region_make_another_signing_key():
    day = signer(now=datetime(2026, 1, 2, tzinfo=UTC))(1)
    next_day = signer(now=datetime(2026, 1, 3, tzinfo=UTC))(1)
    elsewhere = signer(now=datetime(2026, 1, 2, tzinfo=UTC), region="eu-west-1")(1)
    signatures = {query(url)["X-Amz-Signature"] for url in (day, next_day, elsewhere)}
    assert len(signatures) == 3
    assert "/20260103/us-east-1/s3/aws4_request" in query(next_day)["X-Amz-Credential"]


def test_the_host_alone_is_signed():
    assert query(signer()(1))["X-Amz-SignedHeaders"] == "host"


def test_the_secret_is_not_in_the_url():
    url = signer(token="t")(1)
    assert "secret" not in url
    assert query(url)["X-Amz-Security-Token"] == "t"
