# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uppy 6 with temporary keys to a scope: it signs by itself, and calls the store alone.

In one piece: RGW 16.2 answers the preflight of a part whose URL was signed by temporary keys with
403.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from uuid import UUID

import pytest
from invenio_db import db

from oarepo_s3.models import Grant
from oarepo_s3.services import NewScope, create_scope, remove_scope

from ..conftest import REAL, required
from ..object_store import Store
from ..services.process import HOST
from .conftest import CORS
from .packages import bundle
from .unmodified import Unmodified
from .uploader import PART
from .visitor import digest_of

pytestmark = pytest.mark.browser

KEYS = "/multipart-uploads/credentials"
NAME = "user.name:dataset"
PREFIX = "user name/datašet/"


@pytest.fixture(scope="module", params=[REAL])
def place(request) -> str:
    """PostgreSQL, and Ceph with STS."""
    return request.param


@pytest.fixture(scope="module")
def store(place, site_port, sts_store) -> Store:
    """The store that hands out keys, with a rule for the methods that Uppy signs by itself."""
    rules = json.loads(CORS.read_text())
    for rule in rules["CORSRules"]:
        rule["AllowedOrigins"] = [f"http://{HOST}:{site_port}"]
        rule["AllowedMethods"] += ["DELETE"]
    sts_store.client().put_bucket_cors(Bucket=sts_store.bucket, CORSConfiguration=rules)
    return sts_store


@pytest.fixture
def _scope(visitor, bucket_id) -> Iterator[None]:
    create_scope(
        NewScope(
            NAME, "default", PREFIX.rstrip("/"), bucket_id=UUID(bucket_id), user_id=visitor.user_id
        )
    )
    db.session.remove()
    yield
    remove_scope(NAME)
    db.session.remove()


@pytest.mark.usefixtures("_scope")
@pytest.mark.parametrize("size", [1000, 2 * PART + 7], ids=["small", "larger"])
def test_a_file_goes_below_the_prefix_with_keys_of_the_page(
    visitor, made, gate, store, tmp_path_factory, size
):
    with required():
        script = bundle("uppy6", tmp_path_factory.mktemp("scripts"))
    place = visitor.post(KEYS, {"scope": NAME})
    file = made(size, f"žluťoučký kůň + {size}.bin")
    uppy = Unmodified(
        visitor.context.new_page(),
        f"{visitor.api}/multipart-uploads/openapi.json",
        script,
        f"{place['endpoint_url']}/{place['bucket']}",
        "makeUppyWithKeys",
        api=visitor.api,
        scope=NAME,
        prefix=place["prefix"],
    )

    outcome = uppy.upload(file)

    assert outcome["failed"] == []
    found = store.client().get_object(Bucket=store.bucket, Key=f"{PREFIX}{file.name}")
    assert hashlib.sha256(found["Body"].read()).hexdigest() == digest_of(file)
    # One for the look at the place, and one for the page.
    assert Grant.query.filter_by(user_id=visitor.user_id).count() == 2
    db.session.remove()


@pytest.mark.usefixtures("_scope")
def test_a_file_outside_the_prefix_is_refused_by_the_store(
    visitor, made, gate, store, tmp_path_factory
):
    with required():
        script = bundle("uppy6", tmp_path_factory.mktemp("scripts"))
    place = visitor.post(KEYS, {"scope": NAME})
    uppy = Unmodified(
        visitor.context.new_page(),
        f"{visitor.api}/multipart-uploads/openapi.json",
        script,
        f"{place['endpoint_url']}/{place['bucket']}",
        "makeUppyWithKeys",
        api=visitor.api,
        scope=NAME,
        prefix="elsewhere/",
    )

    outcome = uppy.upload(made(1000, "out.bin"))

    assert len(outcome["failed"]) == 1
    listed = store.client().list_objects_v2(Bucket=store.bucket, Prefix="elsewhere/")
    assert listed["KeyCount"] == 0
