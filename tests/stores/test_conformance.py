# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What every store has to do, and what a caller of the protocol may rely on.

Where a store is known to differ stands in the table of ``subjects.py``.
"""

from __future__ import annotations

import uuid

import pytest

from oarepo_s3.backends import ObjectStore, PresignsDownloads, PresignsParts
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import (
    StoreDenied,
    StoreMisconfigured,
    StorePartsRejected,
    StoreUploadGone,
)
from oarepo_s3.core.parts import UploadedPart

from .subjects import LIFETIME, MISTAKES, SMALLEST, TOKEN, TRAITS, case, md5, stores


@stores()
def test_the_store_speaks_the_protocol_and_says_what_else_it_can(subject):
    assert isinstance(subject.store, ObjectStore)
    assert isinstance(subject.store, PresignsParts)
    assert isinstance(subject.store, PresignsDownloads) is subject.traits.speaks_http


@stores()
def test_an_upload_becomes_an_object_with_its_bytes_type_and_metadata(subject, key):
    first, last = b"a" * SMALLEST, b"the end"
    upload_id = subject.send(key, {1: first, 2: last}, **TOKEN)
    assert subject.store.head(key) is None

    parts = subject.store.list_parts(key, upload_id).parts
    subject.store.complete_upload(key, upload_id, parts)

    info = subject.store.head(key)
    assert (info.size, info.content_type) == (SMALLEST + 7, "text/plain")
    assert info.metadata["oarepo-upload-token"] == "a-token"
    assert info.etag_is_digest
    digests = bytes.fromhex(md5(first)) + bytes.fromhex(md5(last))
    composite = f"{md5(digests)}-2"
    assert info.etag == (composite if subject.traits.composite_etag else md5(first + last))
    assert subject.read(key) == first + last


@stores()
def test_a_completed_upload_is_gone_and_its_object_stays(subject, key):
    upload_id = subject.send(key, {1: b"all"})
    subject.store.complete_upload(key, upload_id, subject.store.list_parts(key, upload_id).parts)
    with pytest.raises(StoreUploadGone):
        subject.store.list_parts(key, upload_id)
    assert list(subject.store.find_uploads(key)) == []
    subject.store.abort_upload(key, upload_id)
    assert subject.read(key) == b"all"


@stores()
def test_a_repeated_complete_leaves_the_object_as_it_is(subject, key):
    upload_id = subject.send(key, {1: b"all"})
    parts = subject.store.list_parts(key, upload_id).parts
    subject.store.complete_upload(key, upload_id, parts)
    if subject.traits.complete_again is None:
        subject.store.complete_upload(key, upload_id, parts)
    else:
        with pytest.raises(subject.traits.complete_again):
            subject.store.complete_upload(key, upload_id, parts)
    assert subject.read(key) == b"all"


@stores()
def test_a_file_of_zero_bytes_is_an_upload_of_one_empty_part(subject, key):
    upload_id = subject.send(key, {1: b""}, **TOKEN)
    parts = subject.store.list_parts(key, upload_id).parts
    assert list(parts) == [UploadedPart(1, 0, md5(b""))]
    subject.store.complete_upload(key, upload_id, parts)
    info = subject.store.head(key)
    assert (info.size, info.metadata["oarepo-upload-token"]) == (0, "a-token")
    assert subject.read(key) == b""


@stores()
def test_an_aborted_upload_is_gone_and_can_be_aborted_again(subject, key):
    upload_id = subject.send(key, {1: b"x"})
    parts = subject.store.list_parts(key, upload_id).parts
    for _ in range(2):
        subject.store.abort_upload(key, upload_id)
        with pytest.raises(StoreUploadGone):
            subject.store.list_parts(key, upload_id)
        assert list(subject.store.find_uploads(key)) == []
    with pytest.raises(subject.traits.complete_aborted):
        subject.store.complete_upload(key, upload_id, parts)
    assert subject.store.head(key) is None


@stores()
def test_an_upload_that_never_was_is_gone(subject, key):
    upload_id = subject.send(key, {})
    subject.store.abort_upload(key, upload_id)
    never = upload_id[::-1]
    subject.store.abort_upload(key, never)
    with pytest.raises(StoreUploadGone):
        subject.store.list_parts(key, never)


@stores("binds_id_to_key")
def test_the_id_of_an_upload_is_worth_nothing_with_another_key(subject, key):
    upload_id = subject.send(key, {1: b"x"})
    with pytest.raises(StoreUploadGone):
        subject.store.list_parts(f"{key}x", upload_id)
    subject.store.abort_upload(f"{key}x", upload_id)
    assert len(subject.store.list_parts(key, upload_id).parts) == 1


def with_mistake(mistake: str, parts: list[UploadedPart]) -> list[UploadedPart]:
    first, last = parts
    return {
        "wrong etag": [first, UploadedPart(2, last.size, md5(b"other"))],
        "part never sent": [first, last, UploadedPart(3, 1, md5(b"x"))],
        "part left out": [last],
        "no parts": [],
        "part too small": parts,
    }[mistake]


@pytest.mark.parametrize(
    ("subject", "mistake"),
    [case(name, m) for name, row in TRAITS.items() for m in MISTAKES if m not in row.lets_pass],
    indirect=["subject"],
)
def test_a_wrong_list_of_parts_is_rejected_and_the_upload_can_still_be_completed(
    subject, key, mistake
):
    small = mistake == "part too small"
    upload_id = subject.send(key, {1: b"a" if small else b"a" * SMALLEST, 2: b"b"})
    parts = list(subject.store.list_parts(key, upload_id).parts)
    with pytest.raises(StorePartsRejected):
        subject.store.complete_upload(key, upload_id, with_mistake(mistake, parts))
    assert subject.store.head(key) is None

    sign = subject.store.part_signer(key, upload_id, lifetime=LIFETIME).sign
    assert subject.put(sign(1), b"c" * SMALLEST) == 200
    parts = subject.store.list_parts(key, upload_id).parts
    subject.store.complete_upload(key, upload_id, parts)
    assert subject.store.head(key).size == SMALLEST + 1


@pytest.mark.parametrize(
    "subject",
    [case(name) for name, row in TRAITS.items() if "no parts" not in row.lets_pass],
    indirect=True,
)
def test_an_upload_to_which_nothing_was_sent_cannot_be_completed(subject, key):
    upload_id = subject.send(key, {})
    with pytest.raises(StorePartsRejected):
        subject.store.complete_upload(key, upload_id, [])
    assert subject.store.head(key) is None
    assert list(subject.store.find_uploads(key)) == [upload_id]


@stores()
def test_a_deleted_object_is_gone_and_can_be_deleted_again(subject, key):
    assert subject.store.head(key) is None
    upload_id = subject.send(key, {1: b"x"})
    subject.store.complete_upload(key, upload_id, subject.store.list_parts(key, upload_id).parts)
    assert subject.store.head(key).size == 1
    for _ in range(2):
        subject.store.delete(key)
        assert subject.store.head(key) is None


CALLS = {
    "create": lambda store: store.create_upload("k", content_type=None, metadata={}),
    "list": lambda store: store.list_parts("k", "u"),
    "find": lambda store: store.find_uploads("k"),
    "delete": lambda store: store.delete("k"),
    "head": lambda store: store.head("k"),
    "abort": lambda store: store.abort_upload("k", "u"),
    "complete": lambda store: store.complete_upload("k", "u", [UploadedPart(1, 1, md5(b"x"))]),
}


@stores("checks_keys")
@pytest.mark.parametrize("call", CALLS)
def test_wrong_keys_are_denied(subject, call):
    right = subject.config.credentials
    for wrong in (
        Credentials(right.access_key, "not-the-secret"),
        Credentials("nobody", right.secret_key),
    ):
        with pytest.raises(StoreDenied):
            CALLS[call](subject.other_store(keys=wrong))


@stores("misses_buckets")
@pytest.mark.parametrize("call", ["create", "list", "find", "delete"])
def test_a_bucket_that_is_not_there_is_a_matter_of_configuration(subject, call):
    with pytest.raises(StoreMisconfigured, match="NoSuchBucket"):
        CALLS[call](subject.other_store(bucket=f"none-{uuid.uuid4()}"))
