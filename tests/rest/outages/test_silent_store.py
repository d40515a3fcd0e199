# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A store that takes connections and says nothing does not hold the workers of the web server."""

from __future__ import annotations

import time

import pytest

from ...people import send_parts

PAUSE = 3


@pytest.fixture(scope="module")
def app_config(app_config, store):
    """Little patience, but enough to tell it from none."""
    app_config.update(
        OAREPO_S3_READ_TIMEOUT=2, OAREPO_S3_MAX_ATTEMPTS=1, OAREPO_S3_SILENCE_PAUSE=PAUSE
    )
    return app_config


def begin(uploader, bucket, key="a"):
    return uploader.post(
        "/multipart-uploads", json={"bucket": str(bucket.id), "key": key, "size": 3}
    )


def codes(answers):
    return {(answer.status_code, answer.get_json().get("code")) for answer in answers}


def spent(work):
    begun = time.monotonic()
    return work(), time.monotonic() - begun


def test_after_one_has_waited_the_others_are_answered_at_once(uploader, bucket, proxy):
    upload = begin(uploader, bucket).get_json()
    send_parts(upload, b"abc")
    proxy.faults(blackhole=True)
    try:
        [waited], one = spent(lambda: [begin(uploader, bucket)])
        refused, twenty = spent(lambda: [begin(uploader, bucket) for _ in range(20)])
        parts = uploader.get(upload["links"]["parts"])
        needs_no_store = uploader.get(upload["links"]["self"])
        needs_no_answer = uploader.get(f"{upload['links']['urls']}?parts=1")
    finally:
        proxy.reset()
    assert codes([waited, *refused, parts]) == {(503, "store_unavailable")}
    assert all(int(answer.headers["Retry-After"]) > 0 for answer in refused)
    assert twenty < one, f"20 calls took {twenty:.1f} s, the one that waited {one:.1f} s"
    assert (needs_no_store.status_code, needs_no_answer.status_code) == (200, 200)

    time.sleep(PAUSE)
    assert uploader.complete(upload).status_code == 200
    assert begin(uploader, bucket).status_code == 201
