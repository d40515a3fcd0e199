# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Ceph's tenants: a key knows its own, and reaches another's bucket only when that allows it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreDenied, StoreError, StoreMisconfigured

from ..object_store import Store
from .conftest import connection
from .subjects import LIFETIME, Subject

pytestmark = pytest.mark.ceph


@pytest.fixture(scope="module")
def owner(ceph) -> Iterator[Any]:
    """A plain client of the tenant's user, who owns a bucket."""
    place = Store(
        ceph.endpoint_url, ceph.tenant_access_key, ceph.tenant_secret_key, bucket="tenant-bucket"
    )
    client = place.client()
    client.create_bucket(Bucket=place.bucket)
    yield client
    client.close()


@pytest.fixture
def subject(owner, ceph, http) -> Subject:
    """The tenant's bucket, with the tenant's key and its plain name."""
    place = Store(ceph.endpoint_url, ceph.tenant_access_key, ceph.tenant_secret_key)
    return Subject("ceph", "tenant-bucket", connection(place), http)


@pytest.fixture
def stranger(ceph) -> Credentials:
    """The keys of a user of the default tenant."""
    return Credentials(ceph.access_key, ceph.secret_key)


@pytest.fixture
def granted(owner) -> Iterator[None]:
    """The tenant lets that user use the bucket."""
    bucket = "arn:aws:s3:::tenant-bucket"
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": ["arn:aws:iam:::user/demo"]},
        "Action": "s3:*",
        "Resource": [bucket, f"{bucket}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    owner.put_bucket_policy(Bucket="tenant-bucket", Policy=policy)
    yield
    owner.delete_bucket_policy(Bucket="tenant-bucket")


def whole_way(subject: Subject, store: Any, key: str) -> None:
    """Upload, look, download and delete."""
    upload_id = subject.send(key, {1: b"content"}, store, token="mine")
    assert list(store.find_uploads(key)) == [upload_id]
    store.complete_upload(key, upload_id, store.list_parts(key, upload_id).parts)
    info = store.head(key)
    assert (info.size, info.metadata) == (7, {"token": "mine"})
    assert subject.read(key, store) == b"content"
    store.delete(key)
    assert store.head(key) is None
    aborted = subject.send(key, {1: b"x"}, store)
    store.abort_upload(key, aborted)
    assert list(store.find_uploads(key)) == []


def test_a_tenants_key_works_with_the_plain_name_of_the_bucket(subject, key):
    url = subject.store.part_signer(key, "upload", lifetime=LIFETIME).sign(1)
    assert "/tenant-bucket/" in url
    whole_way(subject, subject.store, f"{key}/a b+(c)#ř.txt")


def test_a_tenants_key_works_with_the_tenant_named(subject, key):
    store = subject.other_store(tenant="cesnet")
    url = store.part_signer(key, "upload", lifetime=LIFETIME).sign(1)
    assert "/cesnet%3Atenant-bucket/" in url
    whole_way(subject, store, f"{key}/a b+(c)#ř.txt")


def test_another_tenants_key_works_where_the_bucket_allows_it(subject, stranger, granted, key):
    whole_way(subject, subject.other_store(keys=stranger, tenant="cesnet"), key)


def test_a_form_goes_to_a_tenants_bucket_where_the_tenant_is_named(subject, key):
    """Ceph looks for the bucket before it knows whose key has signed the form."""
    store = subject.other_store(tenant="cesnet")
    form = store.presign_form(f"oarepo-s3-forms/{key}", size=3, lifetime=LIFETIME)
    assert form.url.endswith("/cesnet:tenant-bucket")
    assert subject.post(form, b"abc") == (201, "")
    upload_id = subject.send(key, {}, store)
    assert store.copy_part(key, upload_id, 1, source=f"oarepo-s3-forms/{key}") is True

    unnamed = subject.store.presign_form(f"oarepo-s3-forms/{key}", size=3, lifetime=LIFETIME)
    assert subject.post(unnamed, b"abc") == (404, "NoSuchBucket")


@pytest.mark.parametrize(
    ("tenant", "error"),
    [pytest.param("cesnet", StoreDenied, id="named"), (None, StoreMisconfigured)],
)
def test_another_tenants_key_is_refused_where_nobody_allowed_it(
    subject, stranger, key, tenant, error
):
    store = subject.other_store(keys=stranger, tenant=tenant)
    with pytest.raises(StoreError) as refused:
        store.create_upload(key, content_type=None, metadata={})
    assert type(refused.value) is error
