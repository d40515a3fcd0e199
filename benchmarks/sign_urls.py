# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How much cheaper a part URL is by this package's signer than by boto3's.

Both sign in the same process, in turns, with the same client's endpoint and keys. CPU time is
measured, so that other work on the machine does not count; each round gives one ratio, and the
median of the rounds is what is compared. boto3 signs a sample only, since it takes about 200 us a
URL; its time is scaled to the full number by the time per URL.

    python benchmarks/sign_urls.py [--urls 10000] [--sample 500] [--rounds 5] [--at-least 60]

Exits with 1 when the ratio is below ``--at-least``.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from statistics import median

import boto3
from botocore.config import Config

from oarepo_s3.backends import StoreConfig
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials

ENDPOINT, REGION, BUCKET = "https://s3.example.org", "us-east-1", "repository"
KEY, UPLOAD_ID = "ab/cd/12345678-90ab-cdef-1234-567890abcdef/data", "2~Bkdth3N-Xb__aF5bVGgG1wmAeg"
OPTIONS = {"signature_version": "s3v4", "s3": {"addressing_style": "path"}}
LIFETIME = timedelta(hours=1)


def own_signing(urls: int) -> Callable[[], None]:
    """Return what signs ``urls`` part URLs as a request does: one signer, then each part."""
    credentials = Credentials("AKIDEXAMPLE", "secret")
    config = StoreConfig(ENDPOINT, None, REGION, credentials, client_options=OPTIONS)
    store = S3Store(BUCKET, config)

    def sign_all() -> None:
        sign = store.part_signer(KEY, UPLOAD_ID, lifetime=LIFETIME).sign
        for part in range(1, urls + 1):
            sign(part)

    return sign_all


def boto3_signing(urls: int) -> Callable[[], None]:
    """Return what signs ``urls`` part URLs by boto3."""
    client = boto3.client(
        "s3",
        endpoint_url=ENDPOINT,
        region_name=REGION,
        aws_access_key_id="AKIDEXAMPLE",
        aws_secret_access_key="secret",
        config=Config(**OPTIONS),
    )
    upload = {"Bucket": BUCKET, "Key": KEY, "UploadId": UPLOAD_ID}

    def sign_all() -> None:
        for part in range(1, urls + 1):
            client.generate_presigned_url(
                "upload_part",
                Params={**upload, "PartNumber": part},
                ExpiresIn=int(LIFETIME.total_seconds()),
            )

    return sign_all


def cpu_seconds(work: Callable[[], None]) -> float:
    """Run it once and return the CPU time that it took."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description="URLs signed by us and by boto3")
    parser.add_argument("--urls", type=int, default=10_000)
    parser.add_argument("--sample", type=int, default=500, help="URLs that boto3 really signs")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--at-least", type=float, default=60)
    wanted = parser.parse_args()

    ours, theirs = own_signing(wanted.urls), boto3_signing(wanted.sample)
    ours(), theirs()  # once before the clock runs: both keep what they have worked out
    rounds = []
    for number in range(1, wanted.rounds + 1):
        own_us = cpu_seconds(ours) / wanted.urls * 1e6
        boto3_us = cpu_seconds(theirs) / wanted.sample * 1e6
        rounds.append((boto3_us / own_us, own_us, boto3_us))
        print(
            f"round {number}: {wanted.urls} URLs by us {own_us * wanted.urls / 1e3:.1f} ms,"
            f" by boto3 {boto3_us * wanted.urls / 1e3:.0f} ms (scaled from {wanted.sample})"
        )
    ratio, own_us, boto3_us = (median(column) for column in zip(*rounds, strict=True))
    print(f"median per URL: {own_us:.2f} us by us, {boto3_us:.1f} us by boto3")
    print(f"ratio: {ratio:.1f} (at least {wanted.at_least:g} wanted)")
    return 0 if ratio >= wanted.at_least else 1


if __name__ == "__main__":
    sys.exit(main())
