# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Presigned URLs, used by a client that knows nothing else of the store."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from oarepo_s3.backends import s3_urls
from oarepo_s3.core.times import utcnow

from .subjects import LIFETIME, TRAITS, case, stores

NAMES = {
    "space": "a b c.txt",
    "plus": "a+b.txt",
    "percent": "100%.txt",
    "encoded": "a%20b%2Fc.txt",
    "parentheses": "(a) [b] {c}.txt",
    "hash": "a#b?c&d=e.txt",
    "quotes": "a'b\"c;d,e.txt",
    "tilde": "~a!$*@:.txt",
    "unicode": "příliš žluťoučký 日本 😀.txt",
    "long": "x" * 200,
    "slashes": "a//b.txt",
}


def not_taken(name: str) -> set[str]:
    return set() if TRAITS[name].takes_double_slashes else {"slashes"}


@pytest.mark.parametrize(
    ("subject", "name"),
    [case(store, name) for store in TRAITS for name in NAMES if name not in not_taken(store)],
    indirect=["subject"],
)
def test_a_part_reaches_its_object_whatever_the_key_is(subject, key, name):
    key = f"{key}/{NAMES[name]}"
    upload_id = subject.send(key, {1: b"content"})
    assert list(subject.store.find_uploads(key)) == [upload_id]
    subject.store.complete_upload(key, upload_id, subject.store.list_parts(key, upload_id).parts)
    assert subject.store.head(key).size == 7
    assert subject.read(key) == b"content"
    subject.store.delete(key)
    assert subject.store.head(key) is None


@pytest.fixture
def sign(subject, key) -> Any:
    """Signs the parts of an open upload."""
    upload_id = subject.send(key, {})
    return subject.store.part_signer(key, upload_id, lifetime=LIFETIME).sign


def forge(url: str) -> str:
    """Change the last digit of the signature."""
    return url[:-1] + ("0" if url[-1] != "0" else "1")


@stores("speaks_http")
def test_a_forged_signature_is_refused(subject, sign):
    assert subject.put(forge(sign(1)), b"x") == subject.traits.forged_status
    assert subject.put(sign(1), b"x") == 200


@stores("speaks_http")
@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        pytest.param("partNumber=1&", "partNumber=2&", id="part"),
        pytest.param("Expires=300", "Expires=900", id="time"),
        pytest.param("/data?", "/other?", id="key"),
    ],
)
def test_a_url_is_good_for_nothing_else(subject, sign, signed, sent):
    url = sign(1)
    assert url.count(signed) == 1
    assert subject.put(url.replace(signed, sent), b"x") == subject.traits.forged_status


@stores("speaks_http", "checks_keys")
@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_a_part_url_only_takes_a_put(subject, sign, method):
    assert subject.http.request(method, sign(1)).status == 403


@stores("speaks_http")
def test_a_url_is_refused_after_its_time(subject, key, monkeypatch):
    upload_id = subject.send(key, {})
    monkeypatch.setattr(s3_urls, "utcnow", lambda: utcnow() - LIFETIME - timedelta(seconds=2))
    late = subject.store.part_signer(key, upload_id, lifetime=LIFETIME).sign(1)
    monkeypatch.setattr(s3_urls, "utcnow", lambda: utcnow() - LIFETIME + timedelta(seconds=60))
    in_time = subject.store.part_signer(key, upload_id, lifetime=LIFETIME).sign(1)
    assert subject.put(late, b"x") == subject.traits.expired_status
    assert subject.put(in_time, b"x") == 200


@stores("speaks_http")
def test_a_part_url_is_refused_when_the_upload_has_ended(subject, key):
    upload_id = subject.send(key, {1: b"x"})
    sign = subject.store.part_signer(key, upload_id, lifetime=LIFETIME).sign
    subject.store.abort_upload(key, upload_id)
    assert subject.put(sign(1), b"x") == subject.traits.gone_status
    assert list(subject.store.find_uploads(key)) == []


@stores("speaks_http")
def test_a_download_has_the_headers_that_were_asked_for(subject, key):
    upload_id = subject.send(key, {1: b"content"})
    subject.store.complete_upload(key, upload_id, subject.store.list_parts(key, upload_id).parts)
    disposition = "attachment; filename=\"a b.txt\"; filename*=UTF-8''%C5%99.txt"
    url = subject.store.presign_download(
        key,
        lifetime=LIFETIME,
        content_type="application/x-test",
        content_disposition=disposition,
        cache_control="private, no-store",
    )
    answer = subject.http.request("GET", url)
    assert (answer.status, answer.data) == (200, b"content")
    assert answer.headers["Content-Type"] == "application/x-test"
    assert answer.headers["Content-Disposition"] == disposition
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert subject.http.request("GET", forge(url)).status == subject.traits.forged_status


@stores("speaks_http")
def test_an_object_without_a_url_is_private(subject, key):
    upload_id = subject.send(key, {1: b"content"})
    subject.store.complete_upload(key, upload_id, subject.store.list_parts(key, upload_id).parts)
    url = subject.store.presign_download(key, lifetime=LIFETIME).partition("?")[0]
    assert subject.http.request("GET", url).status == subject.traits.unsigned_status
