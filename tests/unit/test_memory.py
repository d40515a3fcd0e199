# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The store in memory, as a test double: what it shows to a test, and the faults that it plays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from oarepo_s3.backends.memory import MemoryStore, forget
from oarepo_s3.core.errors import StoreDenied, StoreUnavailable, StoreUploadGone

BUSY, DENIED = StoreUnavailable(reason="busy"), StoreDenied(reason="no")


@pytest.fixture
def store() -> Iterator[MemoryStore]:
    forget()
    yield MemoryStore("bucket")
    forget()


def opened(store: MemoryStore, key: str = "key") -> str:
    return store.create_upload(key, content_type=None, metadata={})


def send(store: MemoryStore, upload_id: str, part: int, content: bytes) -> None:
    sign = store.part_signer("key", upload_id, lifetime=timedelta(hours=1)).sign
    store.put_part(sign(part), content)


def test_stores_of_one_bucket_share_it_until_all_is_forgotten(store):
    upload_id = opened(store)
    assert MemoryStore("bucket").uploads == {upload_id: "key"}
    assert MemoryStore("other").uploads == {}
    forget()
    assert store.uploads == {}


def test_the_calls_are_counted_in_order(store):
    upload_id = opened(store)
    store.list_parts("key", upload_id)
    store.abort_upload("key", upload_id)
    store.head("key")
    assert store.calls == ["create_upload", "list_parts", "abort_upload", "head"]


def test_a_fault_comes_once_and_before_the_work(store):
    store.fail("create_upload", BUSY)
    with pytest.raises(StoreUnavailable):
        opened(store)
    assert store.uploads == {}
    assert opened(store) in store.uploads


def test_a_lost_reply_comes_once_and_after_the_work(store):
    upload_id = opened(store)
    store.fail("abort_upload", BUSY, after=True)
    with pytest.raises(StoreUnavailable):
        store.abort_upload("key", upload_id)
    assert store.uploads == {}
    store.abort_upload("key", upload_id)


def test_faults_of_both_kinds_come_in_the_order_they_were_asked_for(store):
    store.fail("create_upload", BUSY)
    store.fail("create_upload", DENIED, after=True)
    store.fail("create_upload", BUSY, after=True)
    for error, uploads in ((StoreUnavailable, 0), (StoreDenied, 1), (StoreUnavailable, 2)):
        with pytest.raises(error):
            opened(store)
        assert len(store.uploads) == uploads
    opened(store)
    assert len(store.uploads) == 3


def test_a_fault_of_one_call_leaves_the_others_alone(store):
    store.fail("delete", BUSY)
    upload_id = opened(store)
    assert list(store.list_parts("key", upload_id).parts) == []


def test_an_object_can_be_read_and_is_missed_before_it_is_made(store):
    upload_id = opened(store)
    send(store, upload_id, 1, b"content")
    with pytest.raises(KeyError):
        store.read("key")
    store.complete_upload("key", upload_id, store.list_parts("key", upload_id).parts)
    assert store.read("key") == b"content"


def test_a_part_of_an_upload_that_has_ended_is_refused(store):
    upload_id = opened(store)
    store.abort_upload("key", upload_id)
    with pytest.raises(StoreUploadGone):
        send(store, upload_id, 1, b"late")
