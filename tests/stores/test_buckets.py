# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What an operator does with a bucket: made, described, emptied and removed, each as often as one
likes."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import boto3
import pytest

from oarepo_s3.backends import AdministersBucket
from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreDenied, StoreFault, StoreMisconfigured

from .subjects import TRAITS, case, stores
from .test_lists import NAMES, NOT_IN_XML, put

DOCUMENTS: dict[str, dict[str, Any]] = {
    "cors": {
        "CORSRules": [
            {
                "ID": "one",
                "AllowedMethods": ["PUT"],
                "AllowedOrigins": ["https://repo.example.org"],
                "ExposeHeaders": ["ETag"],
                "MaxAgeSeconds": 60,
            }
        ]
    },
    "lifecycle": {
        "Rules": [
            {
                "ID": "one",
                "Status": "Enabled",
                "Filter": {"Prefix": "some/"},
                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
            }
        ]
    },
    "policy": {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::{bucket}/hidden/*",
            }
        ],
    },
    "public_access_block": dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    ),
}


def cases(has: bool) -> pytest.MarkDecorator:
    """Run a test once per store and document that the store has, or has not."""
    found = [
        case(name, kind)
        for name, row in TRAITS.items()
        for kind in DOCUMENTS
        if row.administers and (kind in row.documents) is has
    ]
    return pytest.mark.parametrize(("subject", "kind"), found, indirect=["subject"])


@pytest.fixture
def fresh(subject) -> Any:
    """The store of a bucket that is not there."""
    return subject.other_store(bucket=f"fresh-{uuid.uuid4()}")


def document(kind: str, bucket: str) -> Any:
    made = DOCUMENTS[kind]
    if kind == "policy":
        (statement,) = made["Statement"]
        named = {**statement, "Resource": statement["Resource"].format(bucket=bucket)}
        return {**made, "Statement": [named]}
    return made


def test_the_store_in_memory_has_no_buckets_to_administer():
    assert not isinstance(MemoryStore("any"), AdministersBucket)


@stores("administers")
def test_a_bucket_is_made_and_removed_once(fresh):
    assert isinstance(fresh, AdministersBucket)
    assert fresh.bucket_exists() is False
    assert fresh.create_bucket() is True
    assert fresh.bucket_exists() is True
    assert fresh.create_bucket() is False
    assert fresh.delete_bucket() is True
    assert fresh.delete_bucket() is False
    assert fresh.bucket_exists() is False


@stores("administers")
def test_a_bucket_that_holds_something_is_not_removed(subject, key):
    put(subject, key)
    with pytest.raises(StoreFault, match="BucketNotEmpty"):
        subject.store.delete_bucket()
    assert subject.store.head(key).size > 0


@cases(has=True)
def test_a_document_is_none_then_as_it_was_written(fresh, kind):
    fresh.create_bucket()
    nothing = fresh.read_document(kind)
    assert nothing is None or not any(nothing.values())
    written = document(kind, fresh.bucket)
    fresh.write_document(kind, written)
    read = fresh.read_document(kind)
    assert {name: read[name] for name in written} == written
    if kind == "policy":
        fresh.write_document(kind, {**written, "Id": "another"})
        assert fresh.read_document(kind)["Id"] == "another"
    fresh.delete_bucket()


@pytest.mark.parametrize("subject", [case("moto"), case("ceph")], indirect=True)
def test_a_rule_with_a_date_is_read_as_json_and_can_be_written_again(fresh):
    fresh.create_bucket()
    expiration = {"Expiration": {"Date": "2040-01-01T00:00:00Z"}}
    rule = {"ID": "x", "Status": "Enabled", "Filter": {"Prefix": "x/"}, **expiration}
    for _ in range(2):
        fresh.write_document("lifecycle", {"Rules": [rule]})
        assert fresh.read_document("lifecycle")["Rules"] == [rule]
    fresh.delete_bucket()


@pytest.mark.parametrize("subject", [case("moto")], indirect=True)
def test_what_a_lifecycle_says_beside_its_rules_is_read_and_written(fresh):
    fresh.create_bucket()
    sent = []
    call = "before-send.s3.PutBucketLifecycleConfiguration"
    fresh._client.meta.events.register(call, lambda request, **_: sent.append(request.headers))
    name, header = (
        "TransitionDefaultMinimumObjectSize",
        "x-amz-transition-default-minimum-object-size",
    )
    fresh.write_document("lifecycle", DOCUMENTS["lifecycle"])
    read = fresh.read_document("lifecycle")
    assert read == {**DOCUMENTS["lifecycle"], name: "all_storage_classes_128K"}
    other = {**read, name: "varies_by_storage_class"}
    fresh.write_document("lifecycle", other)
    assert [headers.get(header) for headers in sent] == [None, b"varies_by_storage_class"]
    assert name in other
    fresh.delete_bucket()


@cases(has=False)
def test_a_store_without_such_documents_says_so(fresh, kind):
    fresh.create_bucket()
    with pytest.raises(StoreMisconfigured, match="NotImplemented"):
        fresh.read_document(kind)
    with pytest.raises(StoreMisconfigured, match="NotImplemented"):
        fresh.write_document(kind, document(kind, fresh.bucket))
    assert fresh.bucket_exists()
    fresh.delete_bucket()


@pytest.mark.parametrize("kind", DOCUMENTS)
@stores("administers")
def test_a_bucket_that_is_not_there_has_no_documents(fresh, subject, kind):
    if kind in subject.traits.documents:
        with pytest.raises(StoreMisconfigured, match="NoSuchBucket"):
            fresh.read_document(kind)
        with pytest.raises(StoreMisconfigured, match="NoSuchBucket"):
            fresh.write_document(kind, document(kind, fresh.bucket))
    with pytest.raises(StoreMisconfigured):
        fresh.read_document(kind)


@stores("administers")
def test_a_bucket_says_where_it_is_and_whether_it_keeps_versions(subject, fresh):
    fresh.create_bucket()
    assert fresh.bucket_region() == ("default" if subject.name == "ceph" else "us-east-1")
    assert fresh.is_versioned() is False
    if subject.traits.keeps_versions:
        keep_versions(subject, fresh.bucket)
        assert fresh.is_versioned() is True
    fresh.delete_bucket()


def keep_versions(subject, bucket: str) -> None:
    keys = subject.config.credentials
    client = boto3.client(
        "s3",
        endpoint_url=subject.config.endpoint_url,
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        region_name="us-east-1",
    )
    client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    client.close()


def full(subject, names: list[str]) -> Any:
    """Return a subject of a new bucket with objects and open uploads."""
    made = type(subject)(subject.name, f"full-{uuid.uuid4()}", subject.config, subject.http)
    made.store.create_bucket()
    if made.traits.keeps_versions:
        keep_versions(made, made.bucket)
    for name in names:
        put(made, f"dir/{name}")
        put(made, f"dir/{name}", b"newer")
        made.send("open/one", {1: b"x"})
    made.store.delete(f"dir/{names[0]}")
    return made


@stores("administers")
def test_a_bucket_is_emptied_of_objects_versions_and_uploads(subject):
    names = NAMES + (NOT_IN_XML if subject.traits.takes_any_key else [])
    made = full(subject, names)
    removed = sum(made.store.erase())
    # a deletion adds a marker where versions are kept
    kept = 2 * len(names) + 1 if made.traits.keeps_versions else len(names) - 1
    assert removed == kept + len(names)
    assert sum(made.store.erase()) == 0
    assert made.store.delete_bucket() is True


@stores("administers")
def test_a_bucket_of_more_than_a_page_is_emptied_page_by_page(subject):
    made = full(subject, ["first"])
    for number in range(1100):
        put(made, f"n/{number:04}")
    pages = list(made.store.erase())
    assert max(pages) <= 1000 < sum(pages)
    assert sum(pages) == 1100 + (4 if made.traits.keeps_versions else 1)
    assert made.store.delete_bucket() is True


@stores("administers", "misses_buckets")
def test_a_bucket_that_is_not_there_cannot_be_emptied(fresh):
    with pytest.raises(StoreMisconfigured, match="NoSuchBucket"):
        list(fresh.erase())


@pytest.mark.ceph
def test_somebody_elses_bucket_is_neither_made_nor_described_nor_emptied(ceph, ceph_store):
    from .conftest import connection

    ceph.admin(
        "user", "create", "--uid", "other", "--display-name", "other",
        "--access-key", "otherkey", "--secret", "othersecretothersecret",
    )  # fmt: skip
    config = replace(
        connection(ceph_store), credentials=Credentials("otherkey", "othersecretothersecret")
    )
    others = S3Store(ceph_store.bucket, config)
    for call in (others.bucket_exists, others.create_bucket, others.delete_bucket):
        with pytest.raises(StoreDenied):
            call()
    with pytest.raises(StoreDenied):
        others.read_document("cors")
    with pytest.raises(StoreDenied):
        list(others.erase())


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_a_store_with_several_regions_gets_the_bucket_in_the_one_of_the_configuration(
    moto_store, region
):
    from .conftest import connection

    store = S3Store(f"region-{region}", replace(connection(moto_store), region=region))
    assert store.create_bucket() is True
    assert store.bucket_region() == region
    assert store.create_bucket() is False
    assert store.delete_bucket() is True
