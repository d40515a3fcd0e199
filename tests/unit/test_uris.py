# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Addresses of objects."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oarepo_s3.core.errors import InvalidLocation
from oarepo_s3.core.uris import ObjectURI


@pytest.mark.parametrize(
    ("uri", "scheme", "bucket", "key"),
    [
        ("s3://bucket/ab/cd/1234/data", "s3", "bucket", "ab/cd/1234/data"),
        ("s3://bucket", "s3", "bucket", ""),
        ("s3://bucket/", "s3", "bucket", ""),
        ("s3://bucket//a", "s3", "bucket", "/a"),
        ("s3://tenant:bucket/a", "s3", "tenant:bucket", "a"),
        ("s3://bucket/a b%20c?d#e", "s3", "bucket", "a b%20c?d#e"),
        ("memory://b/s3://x/y", "memory", "b", "s3://x/y"),
    ],
)
def test_a_uri_is_split_and_its_key_left_as_it_is(uri, scheme, bucket, key):
    assert ObjectURI.parse(uri) == ObjectURI(scheme, bucket, key)


@pytest.mark.parametrize(
    "uri", ["", "bucket/key", "/data/x", "s3:/b/k", "s3://", "s3:///k", "://b/k"]
)
def test_what_has_no_scheme_or_no_bucket_is_no_location(uri):
    with pytest.raises(InvalidLocation) as refused:
        ObjectURI.parse(uri)
    assert refused.value.context == {"uri": uri}


names = st.text(st.characters(exclude_characters="/:"), min_size=1)


@given(names, names, st.text())
def test_a_uri_survives_being_written_and_read(scheme, bucket, key):
    uri = ObjectURI(scheme, bucket, key)
    assert ObjectURI.parse(str(uri)) == uri
