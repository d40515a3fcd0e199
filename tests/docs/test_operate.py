# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The operator's page: its commands as printed, from an empty account to a swept bucket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
import sqlalchemy as sa

from tests.services import CephRGW, Postgres

from ..conftest import start
from ..object_store import Store
from .pages import blocks, run_commands

pytestmark = [pytest.mark.ceph, pytest.mark.postgres]

PAGE = "docs/howto/operate.md"
TIMEOUT = 600
"""Seconds for all commands together: each is a process of its own, of some seconds."""

SETTINGS = """\
SQLALCHEMY_DATABASE_URI = {uri!r}
SECRET_KEY = "a secret"
CACHE_TYPE = "SimpleCache"
RATELIMIT_ENABLED = False
FILES_REST_STORAGE_CLASS_LIST = {{"S": "Standard"}}
FILES_REST_DEFAULT_STORAGE_CLASS = "S"
"""


@pytest.fixture(scope="module")
def gateway(tmp_path_factory) -> Iterator[CephRGW]:
    """A gateway of its own, without a bucket, whose user may make roles."""
    for made in start(CephRGW(tmp_path_factory.mktemp("operate"), sts=True)):
        made.let_make_roles()
        yield made


@pytest.fixture(scope="module")
def database(postgres: Postgres) -> Iterator[str]:
    """An empty database, not the one of an application in this process."""
    yield postgres.create_database("operate")
    postgres.drop_database("operate")


@pytest.fixture(scope="module")
def walk(gateway, database, tmp_path_factory) -> Any:
    """Go through the page once; return the folder and what was said."""
    folder = tmp_path_factory.mktemp("instance")
    configuration = folder / "invenio.cfg"
    configuration.write_text(SETTINGS.format(uri=database))
    done = run_commands(
        blocks(PAGE, "operate"),
        folder,
        timeout=TIMEOUT,
        INVENIO_INSTANCE_PATH=str(folder),
        CFG=str(configuration),
        ENDPOINT=gateway.endpoint_url,
        ACCESS_KEY=gateway.access_key,
        INVENIO_S3_SECRET_ACCESS_KEY=gateway.secret_key,
        PRINCIPAL=f"arn:aws:iam:::user/{gateway.user}",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder, done.stdout


@pytest.fixture
def client(gateway) -> Iterator[Any]:
    """A plain client of the gateway."""
    made = Store.at(gateway).client()
    yield made
    made.close()


def test_the_check_at_its_end_finds_nothing_wrong(walk):
    assert "s3://repository: 0 failures" in walk[1]


def test_the_bucket_is_open_to_the_pages_and_forgets_what_nobody_completes(walk, client):
    (rule,) = client.get_bucket_cors(Bucket="repository")["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://repo.example.org"]
    assert "ETag" in rule["ExposeHeaders"]
    rules = client.get_bucket_lifecycle_configuration(Bucket="repository")["Rules"]
    assert any("AbortIncompleteMultipartUpload" in rule for rule in rules)


def test_nothing_is_left_in_the_bucket(walk, client):
    assert "Contents" not in client.list_objects_v2(Bucket="repository")
    assert "Uploads" not in client.list_multipart_uploads(Bucket="repository")


def test_the_instance_has_the_location_the_profile_and_a_record_of_the_keys(walk, database):
    engine = sa.create_engine(database)
    with engine.connect() as connection:
        location = connection.execute(sa.text('SELECT name, uri, "default" FROM files_location'))
        assert location.all() == [("s3-default", "s3://repository", True)]
        places = connection.execute(sa.text("SELECT place, abilities FROM oarepo_s3_storeprofile"))
        ((place, abilities),) = places
        assert (place, abilities["forms"]) == ("s3://repository", True)
        grants = connection.execute(sa.text("SELECT target, access_key FROM oarepo_s3_grant"))
        ((target, access_key),) = grants
        assert target == "s3://repository/incoming/dataset/"
        assert access_key in (walk[0] / "rclone.conf").read_text()
    engine.dispose()


def test_no_secret_is_in_what_was_said_or_in_a_file_that_others_read(walk, gateway):
    folder, said = walk
    assert gateway.secret_key not in said
    for path in folder.rglob("*"):
        if path.is_file():
            assert gateway.secret_key not in path.read_text(errors="replace"), path
    assert (folder / "rclone.conf").stat().st_mode & 0o077 == 0


def test_the_policy_of_the_server_is_a_document(walk):
    policy = json.loads((walk[0] / "server-policy.json").read_text())
    assert {statement["Effect"] for statement in policy["Statement"]} == {"Allow"}


def test_the_role_may_be_assumed(walk, gateway):
    sts = boto3.client(
        "sts",
        endpoint_url=gateway.endpoint_url,
        aws_access_key_id=gateway.access_key,
        aws_secret_access_key=gateway.secret_key,
        region_name="us-east-1",
    )
    role = "arn:aws:iam:::role/uploader"
    keys = sts.assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    assert keys["SessionToken"]
    sts.close()
