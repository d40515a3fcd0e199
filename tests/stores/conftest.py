# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The stores under test, each with a bucket."""

from __future__ import annotations

import logging
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import urllib3
from moto.server import ThreadedMotoServer

from oarepo_s3.backends import StoreConfig
from oarepo_s3.backends.memory import forget
from oarepo_s3.backends.profiles import find_profile
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials

from ..object_store import BUCKET, Store
from ..own_store import PREFIX, REGION, remove_all
from ..services import CephRGW
from .ceph_traits import RGW, Upload, traits_of
from .rights import FULL, RIGHTS_BUCKET, enforce, with_keys_of
from .subjects import YOURS, Subject

RUN = f"{PREFIX}{uuid.uuid4()}/"
"""What all keys of this run begin with."""

CLIENT_OPTIONS: dict[str, Any] = {
    "signature_version": "s3v4",
    "s3": {"addressing_style": "path"},
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
    "retries": {"mode": "standard", "total_max_attempts": 1},
    "connect_timeout": 2,
    "read_timeout": 20,
}


@pytest.fixture(scope="session")
def http() -> Iterator[urllib3.PoolManager]:
    """What a client sends its parts with; neither a retry nor a redirect hides an answer."""
    with urllib3.PoolManager(retries=False, maxsize=4) as pool:
        yield pool


@pytest.fixture(scope="session")
def moto_store() -> Iterator[Store]:
    """moto's server with a bucket."""
    log = logging.getLogger("werkzeug")
    level = log.level
    log.setLevel(logging.CRITICAL)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    store = Store(f"http://{host}:{port}", "motokey", "motosecret")
    store.client().create_bucket(Bucket=BUCKET)
    yield store
    server.stop()
    log.setLevel(level)


@pytest.fixture(scope="session")
def yours_store() -> Iterator[Store]:
    """The store that the environment names; what the run has made there is removed."""
    endpoint, access_key, secret_key, bucket = YOURS
    store = Store(endpoint, access_key, secret_key, bucket, os.environ.get(REGION, "us-east-1"))
    yield store
    client = store.client()
    remove_all(client, bucket, RUN)
    client.close()


def connection(place: Store) -> StoreConfig:
    """Return how the back end reaches a store."""
    return StoreConfig(
        endpoint_url=place.endpoint_url,
        region=place.region,
        credentials=Credentials(place.access_key, place.secret_key),
        client_options=CLIENT_OPTIONS,
    )


@pytest.fixture(scope="session")
def subject(request, http) -> Iterator[Subject]:
    """The store under test."""
    name = request.param
    if name == "memory":
        yield Subject(name, f"conformance-{uuid.uuid4()}", StoreConfig(), http)
        forget()
        return
    place = request.getfixturevalue(f"{name}_store")
    yield Subject(name, place.bucket, connection(place), http)


@pytest.fixture
def key() -> str:
    """A key that no other test uses."""
    return f"{RUN}{uuid.uuid4()}/data"


@pytest.fixture(scope="session")
def rgw(ceph) -> RGW:
    """What the running version of Ceph does."""
    return traits_of(ceph)


@pytest.fixture(scope="session")
def rgw_client(ceph_store) -> Iterator[Any]:
    """A plain client of Ceph that repeats nothing."""
    made = ceph_store.client(retries={"mode": "standard", "total_max_attempts": 1})
    yield made
    made.close()


@pytest.fixture
def begin(rgw_client, http, ceph_store, key) -> Callable[..., Upload]:
    """Open uploads at Ceph, all of one key: call it with what is declared."""

    def opened(**declared: Any) -> Upload:
        return Upload(rgw_client, http, ceph_store.bucket, key, **declared)

    return opened


@pytest.fixture(scope="session")
def users_gateway(ceph, tmp_path_factory) -> Iterator[CephRGW]:
    """A gateway with STS, with a user who owns a bucket, two who own nothing, and one who gives
    rights."""
    with CephRGW(tmp_path_factory.mktemp("rights"), sts=True, root=ceph.root) as made:
        for user in ("owner", "server", "trimmed", "root"):
            keys = ["--access-key", f"{user}key", "--secret", f"{user}secretsecret"]
            made.admin("user", "create", "--uid", user, "--display-name", user, *keys)
        made.admin("caps", "add", "--uid", "root", "--caps", "user-policy=*;roles=*")
        yield made


@pytest.fixture(scope="session")
def of(users_gateway) -> Callable[..., S3Store]:
    """A bucket as a user of the gateway sees it: call it with the user's name."""

    def store(user: str, bucket: str = RIGHTS_BUCKET) -> S3Store:
        place = Store(users_gateway.endpoint_url, f"{user}key", f"{user}secretsecret")
        return S3Store(bucket, replace(connection(place), profile=find_profile("ceph")))

    return store


@pytest.fixture
def enforcing_moto(moto_store) -> Iterator[Store]:
    """moto, which checks rights from now on, as a user who may do everything."""
    everything = {"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}
    root = S3Store(moto_store.bucket, connection(moto_store))
    yield with_keys_of(
        root, moto_store, f"root-{uuid.uuid4()}", {**FULL, "Statement": [everything]}
    )
    enforce(moto_store, "inf")
