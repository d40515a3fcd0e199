# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The list of a bucket's objects: every key as it is, in order, and from any key on."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from oarepo_s3.backends import ListsObjects
from oarepo_s3.core.errors import StoreMisconfigured
from oarepo_s3.core.times import utcnow

from .subjects import SMALLEST, TRAITS, case, stores

NAMES = ["a b", "a+b", "a%20b", "č ř", "😀", "\uffee", "a&<>\"'", " ", "tab\tq", "=?#", "A", "a/b"]
NOT_IN_XML = ["\x01", "line\nline", "\x7f\x1b"]
CONTENT = b"content"


def put(subject, key: str, content: bytes = CONTENT) -> None:
    """Make an object as other tools do, where keys are in no XML."""
    if subject.traits.speaks_http:
        subject.store._client.put_object(Bucket=subject.bucket, Key=key, Body=content)
        return
    upload_id = subject.send(key, {1: content})
    subject.store.complete_upload(key, upload_id, subject.store.list_parts(key, upload_id).parts)


def listed(subject, prefix: str, **after: str) -> list[str]:
    return [found.key for found in subject.store.list_objects(prefix, **after)]


def in_order(keys: list[str]) -> list[str]:
    return sorted(keys, key=str.encode)


@stores()
def test_objects_below_a_prefix_are_listed_with_size_etag_and_time(subject, key):
    assert isinstance(subject.store, ListsObjects)
    put(subject, f"{key}/one")
    put(subject, f"{key}x")
    (found,) = subject.store.list_objects(f"{key}/")
    assert (found.key, found.size) == (f"{key}/one", len(CONTENT))
    head = subject.store.head(f"{key}/one")
    assert found.etag == head.etag or not subject.traits.composite_etag
    assert '"' not in found.etag
    assert abs(utcnow() - found.modified) < timedelta(minutes=1)


@stores()
def test_keys_of_all_kinds_are_listed_as_they_are_in_the_order_of_their_bytes(subject, key):
    keys = [f"{key}/{name}" for name in NAMES]
    for each in keys:
        put(subject, each)
    assert listed(subject, f"{key}/") == in_order(keys)
    for position, each in enumerate(in_order(keys)):
        assert listed(subject, f"{key}/", after=each) == in_order(keys)[position + 1 :]


@stores("takes_any_key")
def test_keys_that_xml_cannot_carry_are_listed_as_they_are(subject, key):
    keys = [f"{key}/{name}" for name in NOT_IN_XML]
    for each in keys:
        put(subject, each)
    assert listed(subject, f"{key}/") == in_order(keys)
    assert listed(subject, f"{key}/", after=in_order(keys)[0]) == in_order(keys)[1:]
    # Where they are, rclone's server answers questions that it does not know with broken XML.
    for each in keys:
        subject.store.delete(each)


@stores()
def test_a_list_begins_after_a_key_that_need_not_exist(subject, key):
    for name in "ace":
        put(subject, f"{key}/{name}")
    assert listed(subject, f"{key}/", after=f"{key}/b") == [f"{key}/c", f"{key}/e"]
    assert listed(subject, f"{key}/", after=f"{key}/z") == []
    assert listed(subject, f"{key}/none/") == []


@stores()
def test_more_objects_than_a_page_holds_are_all_listed(subject, key):
    keys = [f"{key}/{number:04}" for number in range(1005)]
    put(subject, f"{key}/0000")  # the first one makes the client
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda each: put(subject, each), keys[1:]))
    assert listed(subject, f"{key}/") == keys
    assert listed(subject, f"{key}/", after=keys[2]) == keys[3:]


@stores("composite_etag")
def test_the_etag_of_an_object_of_several_parts_is_that_of_its_head(subject, key):
    upload_id = subject.send(key, {1: b"a" * SMALLEST, 2: b"b"})
    subject.store.complete_upload(key, upload_id, subject.store.list_parts(key, upload_id).parts)
    (found,) = subject.store.list_objects(key)
    assert found.etag == subject.store.head(key).etag
    assert found.etag.endswith("-2")
    assert found.etag != hashlib.md5(b"a" * SMALLEST + b"b").hexdigest()


@pytest.mark.parametrize(
    "subject",
    [case(name) for name, row in TRAITS.items() if row.misses_buckets],
    indirect=True,
)
def test_the_list_of_a_bucket_that_is_not_there_is_a_matter_of_configuration(subject):
    with pytest.raises(StoreMisconfigured, match="NoSuchBucket"):
        list(subject.other_store(bucket="no-such-bucket").list_objects(""))
