# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys of a real store: what they open, and what it refuses.

That they end is not waited for: STS makes none that live for less than 15 minutes.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, timedelta
from typing import Any

import pytest

from oarepo_s3.backends import Address, IssuesCredentials
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreDenied, StoreMisconfigured, StoreUnavailable
from oarepo_s3.core.policies import session_policy
from oarepo_s3.core.times import utcnow

from ..keys import CALLS, ROLE, TENANT_ROLE, status
from ..object_store import BUCKET, Store
from .ceph_traits import traits_of
from .conftest import CLIENT_OPTIONS, connection

pytestmark = pytest.mark.ceph

QUARTER = timedelta(minutes=15)
# Ceph takes no colon in a resource: it is an ARN there.
PREFIXES = ["mine", "user.name/dataset", "dílo s mezerou/č", "a+b%20c$d'(e)&;=@,f]{g}~^#|"]


@pytest.fixture(scope="module")
def server(sts_store) -> S3Store:
    """The store, seen by the server."""
    return S3Store(BUCKET, connection(sts_store))


def issue(store: S3Store, role: str = ROLE, **narrowed: str) -> Credentials:
    return store.issue_credentials(
        role=role,
        session_name="me",
        policy=session_policy(store.bucket, **narrowed),
        lifetime=QUARTER,
    )


def client_of(place: Store, keys: Credentials) -> Any:
    """Return what a client with the keys is."""
    given = replace(place, access_key=keys.access_key, secret_key=keys.secret_key, token=keys.token)
    return given.client(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture
def filled(sts_store) -> Iterator[Any]:
    """Put objects where clients will look, and call it with names."""
    client = sts_store.client()

    def put(*names: str) -> None:
        for name in names:
            client.put_object(Bucket=BUCKET, Key=name, Body=b"old")

    yield put
    client.close()


def test_keys_are_temporary_and_hidden(server):
    keys = issue(server, prefix="mine")
    assert isinstance(server, IssuesCredentials)
    assert keys.token
    assert keys.expires_at.tzinfo is UTC
    assert timedelta(minutes=14) < keys.expires_at - utcnow() <= QUARTER + timedelta(seconds=5)
    assert keys.secret_key not in repr(keys)
    assert keys.token not in repr(keys)


def test_the_address_is_the_one_of_clients(sts_store):
    config = replace(connection(sts_store), public_endpoint_url="https://s3.example.org")
    assert S3Store(BUCKET, config).address == Address("https://s3.example.org", "us-east-1", BUCKET)
    config = replace(config, tenant="cesnet")
    assert S3Store(BUCKET, config).address.bucket == f"cesnet:{BUCKET}"


@pytest.mark.parametrize("prefix", PREFIXES)
def test_keys_to_a_prefix_open_what_is_below_it_and_nothing_else(sts_store, server, filled, prefix):
    outside = (f"{prefix}x/", "", "mine2/", "oarepo-s3-forms/")
    filled(*(f"{place}old" for place in (f"{prefix}/", *outside)))
    client = client_of(sts_store, issue(server, prefix=prefix))
    inside = {name: status(call, client, BUCKET, f"{prefix}/") for name, call in CALLS.items()}
    assert inside == {"put": 200, "get": 200, "list": 200, "multipart": 200, "delete": 403}
    for place in outside:
        found = {name: status(call, client, BUCKET, place) for name, call in CALLS.items()}
        assert found == dict.fromkeys(CALLS, 403), place
    assert status(lambda: client.list_buckets()) in (200, 403)
    assert status(lambda: client.delete_bucket(Bucket=BUCKET)) == 403


def test_keys_to_an_object_may_not_be_told_that_it_is_not_there_yet(sts_store, server, ceph_sts):
    client = client_of(sts_store, issue(server, key="oarepo-s3-forms/not-yet"))
    found = status(lambda: client.head_object(Bucket=BUCKET, Key="oarepo-s3-forms/not-yet"))
    assert found == (404 if traits_of(ceph_sts).tells_of_nothing else 403)


@pytest.mark.parametrize("kind", ["key", "prefix"])
def test_ceph_takes_no_colon_in_a_resource(server, kind):
    with pytest.raises(StoreMisconfigured):
        issue(server, **{kind: "run:1"})


@pytest.mark.parametrize("key", ["oarepo-s3-forms/one", "dílo s mezerou/oarepo-s3-forms/1"])
def test_keys_to_an_object_open_it_alone(sts_store, server, filled, key):
    filled(key, f"{key}/old", f"{key}x", "old")
    client = client_of(sts_store, issue(server, key=key))
    one = {"Bucket": BUCKET, "Key": key}
    assert status(lambda: client.put_object(**one, Body=b"x")) == 200
    assert status(lambda: client.head_object(**one)) == 200
    upload = client.create_multipart_upload(**one)["UploadId"]
    part = client.upload_part(**one, UploadId=upload, PartNumber=1, Body=b"part")
    parts = [{"PartNumber": 1, "ETag": part["ETag"]}]
    done = client.complete_multipart_upload(
        **one, UploadId=upload, MultipartUpload={"Parts": parts}
    )
    assert done["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert status(lambda: client.delete_object(**one)) == 403
    for other in (f"{key}x", f"{key}/old", "old"):
        assert status(lambda other=other: client.get_object(Bucket=BUCKET, Key=other)) == 403
        assert (
            status(lambda other=other: client.put_object(Bucket=BUCKET, Key=other, Body=b"x"))
            == 403
        )
    assert status(lambda: client.list_objects_v2(Bucket=BUCKET)) == 403
    copied = {"CopySource": {"Bucket": BUCKET, "Key": "old"}}
    assert status(lambda: client.copy_object(**one, **copied)) == 403


def test_keys_without_their_token_or_of_another_secret_open_nothing(sts_store, server):
    keys = issue(server, prefix="mine")
    for wrong in (replace(keys, token=None), replace(keys, secret_key="x" * 40)):
        assert status(CALLS["put"], client_of(sts_store, wrong), BUCKET, "mine/") == 403


@pytest.fixture
def tenant(ceph_sts) -> Store:
    """The tenant's store, with a bucket of the same name."""
    store = Store(ceph_sts.endpoint_url, ceph_sts.tenant_access_key, ceph_sts.tenant_secret_key)
    store.client().create_bucket(Bucket=BUCKET)
    return store


@pytest.mark.parametrize("named", [None, "cesnet"])
def test_a_tenant_has_keys_to_its_own_bucket(sts_store, tenant, named):
    """By its plain name, and with the tenant's before it: the same policy in other words."""
    server = S3Store(BUCKET, replace(connection(tenant), tenant=named))
    client = client_of(tenant, issue(server, TENANT_ROLE, prefix="of-tenant"))
    assert status(CALLS["put"], client, BUCKET, "of-tenant/") == 200
    assert status(CALLS["put"], client, BUCKET, "other/") == 403
    assert server.head("of-tenant/new") is not None
    listed = sts_store.client().list_objects_v2(Bucket=BUCKET, Prefix="of-tenant/")
    assert listed["KeyCount"] == 0


@pytest.mark.parametrize(
    ("role", "error", "reason"),
    [
        ("arn:aws:iam:::role/nobody", StoreMisconfigured, "NoSuchEntity"),
        ("no ARN, but long enough", StoreMisconfigured, "InvalidArgument"),
        ("short", StoreMisconfigured, "ParamValidationError"),
        (TENANT_ROLE, StoreDenied, "AccessDenied"),
    ],
)
def test_a_role_that_is_not_the_servers_gives_none(server, role, error, reason):
    with pytest.raises(error) as found:
        issue(server, role, prefix="mine")
    assert found.value.context == {"reason": reason}


def test_wrong_keys_of_the_server_give_none(sts_store):
    wrong = replace(sts_store, secret_key="wrong-secret-wrong-secret")
    with pytest.raises(StoreDenied):
        issue(S3Store(BUCKET, connection(wrong)), prefix="mine")


def test_a_silent_sts_elsewhere_stops_nobody_else(sts_store):
    """It is not asked again for a while; the store itself is."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        options = {**CLIENT_OPTIONS, "read_timeout": 1, "retries": {"total_max_attempts": 1}}
        config = replace(
            connection(sts_store),
            sts_endpoint_url=f"http://127.0.0.1:{silent.getsockname()[1]}",
            client_options=options,
        )
        server = S3Store(BUCKET, config)
        for reason in ("ReadTimeoutError", "it kept silent a moment ago"):
            with pytest.raises(StoreUnavailable, match=reason):
                issue(server, prefix="mine")
            assert server.head("no such object") is None


@pytest.mark.parametrize("policy", [{"Statement": [{"Effect": "No"}]}, {"Effect": "Allow"}])
def test_a_policy_that_is_none_is_the_operators_to_mend(server, policy):
    with pytest.raises(StoreMisconfigured):
        server.issue_credentials(role=ROLE, session_name="me", policy=policy, lifetime=QUARTER)


def test_a_policy_that_the_store_might_die_of_is_not_sent(server):
    policy = session_policy(BUCKET, key="k")
    policy["Statement"][0]["Resource"] += "k" * 2000
    with pytest.raises(StoreMisconfigured, match="2048"):
        server.issue_credentials(role=ROLE, session_name="me", policy=policy, lifetime=QUARTER)
    assert issue(server, prefix="mine").token


def test_more_time_than_the_role_allows_is_refused(server):
    policy = session_policy(BUCKET, prefix="mine")
    with pytest.raises(StoreMisconfigured, match="InvalidArgument"):
        server.issue_credentials(
            role=ROLE, session_name="me", policy=policy, lifetime=timedelta(hours=12)
        )


@pytest.mark.parametrize("name", ["ceph", pytest.param("rclone", marks=pytest.mark.rclone)])
def test_a_store_without_sts_says_so(request, name):
    place = request.getfixturevalue(f"{name}_store")
    with pytest.raises((StoreMisconfigured, StoreDenied)):
        issue(S3Store(BUCKET, connection(place)), prefix="mine")


def test_sts_may_be_at_another_address(sts_store, ceph_store):
    config = replace(connection(ceph_store), sts_endpoint_url=sts_store.endpoint_url)
    assert issue(S3Store(BUCKET, config), prefix="mine").token
    config = replace(connection(sts_store), sts_endpoint_url=ceph_store.endpoint_url)
    with pytest.raises((StoreMisconfigured, StoreDenied)):
        issue(S3Store(BUCKET, config), prefix="mine")


def test_the_log_of_the_sdk_shows_no_keys(sts_store, caplog):
    for name in ("botocore", "urllib3"):
        caplog.set_level(logging.DEBUG, logger=name)
    keys = issue(S3Store(BUCKET, connection(sts_store)), prefix="mine")
    assert keys.access_key in caplog.text
    for secret in (keys.secret_key, keys.token, sts_store.secret_key):
        assert secret not in caplog.text
