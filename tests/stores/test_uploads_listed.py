# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What every store lists: the parts of an upload, and the uploads that are open."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from oarepo_s3.backends import ListsUploads
from oarepo_s3.core.parts import UploadedPart
from oarepo_s3.core.times import utcnow

from .subjects import LIFETIME, all_parts, md5, stores


@stores()
def test_parts_are_listed_by_number_with_their_size_and_etag_as_they_were_sent_last(subject, key):
    upload_id = subject.send(key, {3: b"ccc", 1: b"old", 2: b"bb"})
    sign = subject.store.part_signer(key, upload_id, lifetime=LIFETIME).sign
    subject.put(sign(1), b"a")
    page = subject.store.list_parts(key, upload_id)
    assert list(page.parts) == [
        UploadedPart(1, 1, md5(b"a")),
        UploadedPart(2, 2, md5(b"bb")),
        UploadedPart(3, 3, md5(b"ccc")),
    ]
    assert page.more is False


@stores()
def test_a_new_upload_has_no_parts(subject, key):
    page = subject.store.list_parts(key, subject.send(key, {}))
    assert (list(page.parts), page.more) == ([], False)


@stores()
@pytest.mark.parametrize("limit", [1, 2, 4, 5, 6])
def test_pages_hold_every_part_once_and_in_order(subject, key, limit):
    upload_id = subject.send(key, dict.fromkeys(range(1, 6), b"x"))
    found = all_parts(subject.store, key, upload_id, limit)
    assert [part.part for part in found] == [1, 2, 3, 4, 5]


SPARSE = [2, 3, 7, 8, 40]


@stores("pages_sparse_parts")
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_pages_of_parts_with_gaps_hold_every_part_once_and_in_order(subject, key, limit):
    upload_id = subject.send(key, dict.fromkeys(SPARSE, b"x"))
    found = all_parts(subject.store, key, upload_id, limit)
    assert [part.part for part in found] == SPARSE


@stores("pages_sparse_parts")
def test_a_page_begins_above_the_part_it_was_asked_for(subject, key):
    upload_id = subject.send(key, dict.fromkeys(SPARSE, b"x"))
    for after in range(max(SPARSE) + 1):
        page = subject.store.list_parts(key, upload_id, after=after)
        assert [part.part for part in page.parts] == [part for part in SPARSE if part > after]


@stores()
def test_more_parts_than_a_page_holds_are_all_listed(subject, key):
    upload_id = subject.send(key, dict.fromkeys(range(1, 1006), b"x"))
    first = subject.store.list_parts(key, upload_id)
    assert (len(first.parts), first.more) == (1000, True)
    found = all_parts(subject.store, key, upload_id, 1000)
    assert [part.part for part in found] == list(range(1, 1006))


@stores()
def test_the_open_uploads_of_exactly_one_key_are_found(subject, key):
    wanted = {subject.send(key, {}), subject.send(key, {1: b"x"})}
    for other in (f"{key}x", f"{key}/x", key[:-1]):
        subject.send(other, {})
    assert set(subject.store.find_uploads(key)) == wanted
    assert list(subject.store.find_uploads("no/such/key")) == []


@stores()
def test_all_open_uploads_below_a_prefix_are_listed_with_their_age(subject, key):
    assert isinstance(subject.store, ListsUploads)
    assert list(subject.store.list_uploads(f"{key}/")) == []
    keys = sorted(f"{key}/{name}" for name in ("a b/č", "a+b", "z"))
    wanted = {(name, subject.send(name, {})) for name in [*keys, keys[0]]}
    subject.send(f"{key}x", {})

    listed = list(subject.store.list_uploads(f"{key}/"))

    assert {(upload.key, upload.upload_id) for upload in listed} == wanted
    assert len(listed) == 4
    if subject.traits.tells_age:
        assert all(abs(utcnow() - upload.initiated) < timedelta(minutes=1) for upload in listed)


@stores("checks_keys")
def test_more_uploads_than_a_page_holds_are_all_listed(subject, key):
    subject.send(f"{key}/the first one makes the client", {})
    with ThreadPoolExecutor(16) as pool:
        wanted = set(pool.map(lambda n: subject.send(f"{key}/n/{n:04}", {}), range(1005)))
    listed = [upload.upload_id for upload in subject.store.list_uploads(f"{key}/n/")]
    assert len(listed) == 1005
    assert set(listed) == wanted
