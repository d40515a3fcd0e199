# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Rules of others mean to Ceph what they meant, after ours were put among them.

What they mean Ceph says itself, by ``radosgw-admin``: what it answers to whoever reads them by the
S3 API is not always what it would take them for.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.merging import apply_change, plan_rules

from .conftest import connection

pytestmark = pytest.mark.ceph

TAGS = [{"Key": "t", "Value": "v"}, {"Key": "u", "Value": "w"}]
DAYS = {"Expiration": {"Days": 2}}

THEIRS: dict[str, dict[str, Any]] = {
    "prefix and tags": {"Filter": {"And": {"Prefix": "tmp/", "Tags": TAGS}}, **DAYS},
    "prefix and tag": {"Filter": {"And": {"Prefix": "tmp/", "Tags": TAGS[:1]}}, **DAYS},
    "tags": {"Filter": {"And": {"Tags": TAGS}}, **DAYS},
    "tag": {"Filter": {"Tag": TAGS[0]}, **DAYS},
    "prefix": {"Filter": {"Prefix": "tmp/"}, **DAYS},
    "older form": {"Prefix": "tmp/", **DAYS},
    "all": {"Filter": {}, **DAYS},
    "off": {"Filter": {"Prefix": "tmp/"}, **DAYS, "Status": "Disabled"},
    "date": {"Filter": {"Prefix": "d/"}, "Expiration": {"Date": "2040-01-01T00:00:00Z"}},
    "markers": {"Filter": {"Prefix": "m/"}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
    "old versions": {
        "Filter": {"And": {"Prefix": "n/", "Tags": TAGS}},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
    },
    "uploads": {
        "Filter": {"Prefix": "u/"},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 4},
    },
    "moved": {
        "Filter": {"And": {"Prefix": "x/", "Tags": TAGS}},
        "Transitions": [{"Days": 3, "StorageClass": "STANDARD"}],
        "NoncurrentVersionTransitions": [{"NoncurrentDays": 3, "StorageClass": "STANDARD"}],
    },
}


@pytest.fixture
def bucket(ceph_store) -> S3Store:
    """A new bucket."""
    made = S3Store(f"others-{uuid.uuid4()}", connection(ceph_store))
    made.create_bucket()
    return made


@pytest.fixture
def meant(ceph, bucket) -> Any:
    """What Ceph does with objects, by prefix."""

    def read() -> list[tuple[str, Any]]:
        # Several rules may be for one prefix: so the pairs are kept.
        said = ceph.admin("lc", "get", "--bucket", bucket.bucket)
        (rules,) = [
            value
            for name, value in json.loads(said, object_pairs_hook=list)
            if name == "prefix_map"
        ]
        return [(prefix, rule) for prefix, rule in rules]

    return read


@pytest.mark.parametrize("name", THEIRS)
def test_a_lifecycle_rule_of_others_removes_no_more_and_no_less_than_before(bucket, meant, name):
    theirs = {"ID": "theirs", "Status": "Enabled", **THEIRS[name]}
    bucket.write_document("lifecycle", {"Rules": [theirs]})
    (before,) = meant()
    ours = documents.lifecycle("repo/", 7)
    apply_change(bucket, plan_rules(bucket, "lifecycle", ours))
    after = meant()
    assert before in after
    assert sorted(prefix for prefix, _ in after) == sorted(
        ["repo/", "repo/oarepo-s3-forms/", before[0]]
    )
    assert not plan_rules(bucket, "lifecycle", ours).needed


def test_all_of_them_together(bucket, meant):
    theirs = [{"ID": name, "Status": "Enabled", **rule} for name, rule in THEIRS.items()]
    bucket.write_document("lifecycle", {"Rules": theirs})
    before = meant()
    for prefix in ("", "repo/"):
        apply_change(bucket, plan_rules(bucket, "lifecycle", documents.lifecycle(prefix, 7)))
    after = meant()
    assert len(after) == len(before) + 4
    for each in before:
        after.remove(each)
    assert {prefix for prefix, _ in after} == {
        "",
        "oarepo-s3-forms/",
        "repo/",
        "repo/oarepo-s3-forms/",
    }


def test_cors_rules_of_others_are_read_as_they_were(bucket):
    theirs = [
        {
            "AllowedOrigins": ["https://*.X.org", "https://a.org"],
            "AllowedMethods": ["GET", "DELETE"],
            "AllowedHeaders": ["X-Second", "x-first"],
            "ExposeHeaders": ["X-Second", "ETag"],
            "MaxAgeSeconds": 0,
        },
        {"ID": "named", "AllowedOrigins": ["*"], "AllowedMethods": ["GET"]},
    ]
    bucket.write_document("cors", {"CORSRules": theirs})
    before = bucket.read_document("cors")["CORSRules"]
    ours = documents.cors(["https://repo.example.org"])
    apply_change(bucket, plan_rules(bucket, "cors", ours))
    assert bucket.read_document("cors")["CORSRules"][1:] == before
    assert not plan_rules(bucket, "cors", ours).needed
