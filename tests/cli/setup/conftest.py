# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""An instance without settings of a store: what works, works by what was answered."""

from __future__ import annotations

import uuid

import pytest
import yaml
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, Location, ObjectVersion

from oarepo_s3.cli import s3
from oarepo_s3.models import StoreProfile

from .kept import exists


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """An instance that knows no store."""
    for name in list(app_config):
        if name.startswith("S3_"):
            del app_config[name]
    app_config.update(OAREPO_S3_SILENCE_PAUSE=0, OAREPO_S3_MAX_ATTEMPTS=1)
    return app_config


@pytest.fixture(autouse=True)
def _no_locations(app, bucket_name, store):
    yield
    db.session.rollback()
    for table in (ObjectVersion, FileInstance, Bucket, Location, StoreProfile):
        db.session.execute(db.delete(table))
    db.session.commit()


@pytest.fixture
def bucket_name(store):
    """A name that no bucket has yet; the bucket is removed in the end."""
    name = f"setup-{uuid.uuid4()}"
    yield name
    client = store.client()
    if exists(store, name):
        for listed in client.list_objects_v2(Bucket=name).get("Contents", []):
            client.delete_object(Bucket=name, Key=listed["Key"])
        client.delete_bucket(Bucket=name)


@pytest.fixture
def given(store, bucket_name, place):
    """What a file says that is right."""
    return {
        "profile": {"local": "other", "real": "ceph"}[place],
        "endpoint": store.endpoint_url,
        "region": "us-east-1",
        "access_key": store.access_key,
        "secret_key": store.secret_key,
        "bucket": bucket_name,
        "location": "files",
        "default": True,
    }


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the commands are run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def run(app, folder):
    """Run ``invenio s3 ...``; the status is checked."""

    def run_command(*arguments, status=0, **more):
        result = app.test_cli_runner().invoke(s3, [*map(str, arguments)], **more)
        db.session.rollback()
        assert result.exit_code == status, (result.output, result.exception)
        return result

    return run_command


@pytest.fixture
def set_up(run, folder):
    """Run setup with a file of these settings."""

    def run_setup(settings, *options, **more):
        (folder / "answers.yml").write_text(yaml.safe_dump(settings))
        return run("setup", "-n", "--config", "answers.yml", *options, **more)

    return run_setup
