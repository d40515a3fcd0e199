# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Fixtures for all tests.

A test that takes ``place`` runs once per place: a database with a store. ``local`` is SQLite with
rclone's S3 server and needs nothing but Python packages; ``real`` is PostgreSQL with a Ceph RADOS
Gateway. Both check signatures and expiry. A test of the rules alone uses the memory store, and one
of temporary keys (``WITH_KEYS``) another gateway, which hands them out.
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from invenio_app.factory import create_api
from invenio_db import db as invenio_database

from . import own_store, sqlite
from .keys import ROLE, make_roles
from .needs import (
    REQUIRE_SERVICES,
    pytest_itemcollected,
    pytest_sessionfinish,
    pytest_terminal_summary,
)
from .object_store import BUCKET, Store
from .services import CephRGW, Missing, Postgres, RcloneS3

__all__ = ["pytest_itemcollected", "pytest_sessionfinish", "pytest_terminal_summary"]

# When it is imported: processes that tests start take settings from here, and work alike.
sqlite.manage_transactions()


def pytest_configure() -> None:
    """Stop where the environment names half a store."""
    try:
        own_store.connection()
    except own_store.HalfSet as error:
        raise pytest.UsageError(str(error)) from None


@contextlib.contextmanager
def required() -> Iterator[None]:
    """Skip where something is missing, and say what."""
    try:
        yield
    except Missing as missing:
        if REQUIRE_SERVICES:
            pytest.fail(str(missing))
        pytest.skip(str(missing))


def start(service: Any) -> Iterator[Any]:
    """Run a service for a fixture."""
    with contextlib.ExitStack() as stack:
        with required():
            stack.enter_context(service)
        yield service


@pytest.fixture(scope="session")
def rclone(tmp_path_factory) -> Iterator[RcloneS3]:
    """rclone's S3 server."""
    yield from start(RcloneS3(tmp_path_factory.mktemp("rclone"), buckets=[BUCKET]))


@pytest.fixture(scope="session")
def ceph(tmp_path_factory) -> Iterator[CephRGW]:
    """A Ceph RADOS Gateway."""
    yield from start(CephRGW(tmp_path_factory.mktemp("ceph")))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory) -> Iterator[Postgres]:
    """A PostgreSQL server."""
    yield from start(Postgres(tmp_path_factory.mktemp("postgres")))


@pytest.fixture(scope="session")
def rclone_store(rclone) -> Store:
    """rclone's store with a bucket."""
    return Store.at(rclone)


@pytest.fixture(scope="session")
def ceph_store(ceph) -> Store:
    """Ceph's store with a bucket."""
    store = Store.at(ceph)
    store.client().create_bucket(Bucket=BUCKET)
    return store


@pytest.fixture(scope="session")
def ceph_sts(ceph, tmp_path_factory) -> Iterator[CephRGW]:
    """Another gateway of the same version, which hands out temporary keys to the bucket."""
    with CephRGW(tmp_path_factory.mktemp("sts"), sts=True, root=ceph.root) as made:
        make_roles(made, BUCKET)
        yield made


@pytest.fixture(scope="session")
def sts_store(ceph_sts) -> Store:
    """The store of that gateway, with a bucket."""
    store = replace(Store.at(ceph_sts), role=ROLE)
    store.client().create_bucket(Bucket=BUCKET)
    return store


LOCAL = pytest.param("local", marks=pytest.mark.rclone, id="local")
REAL = pytest.param("real", marks=[pytest.mark.ceph, pytest.mark.postgres], id="real")
WITH_KEYS = pytest.param("with keys", marks=[pytest.mark.ceph, pytest.mark.postgres], id="real")
"""The real place, at a gateway that hands out temporary keys."""

STORES = {"local": "rclone_store", "real": "ceph_store", "with keys": "sts_store"}


@pytest.fixture(scope="module", params=[LOCAL, REAL])
def place(request) -> str:
    """Where the test runs; see the module's docstring."""
    return request.param


@pytest.fixture(scope="module")
def store(place, request) -> Store:
    """The object store of the place."""
    return request.getfixturevalue(STORES[place])


@pytest.fixture(scope="module")
def db_uri(place, request, tmp_path_factory) -> Iterator[str]:
    """A fresh database of the place."""
    if place in ("real", "with keys", "postgres"):
        server = request.getfixturevalue("postgres")
        name = f"test_{request.module.__name__.rpartition('.')[2]}"
        yield server.create_database(name)
        server.drop_database(name)
        return
    yield f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'test.db'}"


@pytest.fixture(scope="module")
def location_uri(store) -> str:
    """URI of the location that buckets get."""
    return f"s3://{store.bucket}"


@pytest.fixture(scope="module")
def app_config(app_config, store) -> dict[str, Any]:
    """Settings of a real instance, less what the tests do not need."""
    app_config.update(settings_for(store))
    return app_config


def settings_for(store: Store | None) -> dict[str, Any]:
    """Return the application's settings for a store."""
    settings: dict[str, Any] = {
        "FILES_REST_STORAGE_FACTORY": "oarepo_s3.storage.s3_storage_factory",
        "FILES_REST_STORAGE_CLASS_LIST": {"S": "Standard"},
        "FILES_REST_DEFAULT_STORAGE_CLASS": "S",
        # Ask a task for `.result`: Celery forbids `.get()` inside an eager task by a flag of the
        # process, and two threads that send tasks at once can leave it set.
        "CELERY_TASK_ALWAYS_EAGER": True,
        "CELERY_TASK_EAGER_PROPAGATES": True,
        "CACHE_TYPE": "SimpleCache",
        "RATELIMIT_ENABLED": False,
        "APP_ENABLE_SECURE_HEADERS": False,
        "REST_CSRF_ENABLED": False,
        "SQLALCHEMY_ENGINE_OPTIONS": {},
    }
    if store is not None:
        settings.update(
            S3_ENDPOINT_URL=store.endpoint_url,
            S3_ACCESS_KEY_ID=store.access_key,
            S3_SECRET_ACCESS_KEY=store.secret_key,
            S3_REGION_NAME="us-east-1",
        )
        if store.role is not None:
            settings.update(OAREPO_S3_UPLOAD_ROLE=store.role, OAREPO_S3_PROFILE="ceph")
    return settings


@pytest.fixture(scope="module")
def create_app() -> Any:
    """The factory of Invenio's REST application."""

    def create(**kwargs: Any) -> Any:
        # In testing mode invenio-base sets its own warning filters, over those of pytest.
        with warnings.catch_warnings():
            return create_api(**kwargs)

    return create


@pytest.fixture(scope="module")
def database(appctx) -> Iterator[Any]:
    """The tables; unlike pytest-invenio's, also when SQLite follows PostgreSQL in one run."""
    invenio_database.create_all()
    yield invenio_database
    invenio_database.session.remove()
    invenio_database.drop_all()
    invenio_database.engine.dispose()


@pytest.fixture(scope="module")
def app(base_app, database) -> Any:
    """The application with its database; unlike pytest-invenio's, without a search engine."""
    return base_app


@pytest.fixture
def location(database, location_uri) -> Iterator[Any]:
    """The default location."""
    from invenio_files_rest.models import Location

    found = Location.get_by_name("default")
    if found is None:
        found = Location(name="default", uri=location_uri, default=True)
        invenio_database.session.add(found)
        invenio_database.session.commit()
    yield found
    invenio_database.session.rollback()


@pytest.fixture
def bucket(location) -> Any:
    """A fresh bucket."""
    from invenio_files_rest.models import Bucket

    created = Bucket.create(location=location)
    invenio_database.session.commit()
    return created


@pytest.fixture
def _no_older_uploads(database):
    """For tests of tasks, which take whatever uploads there are."""
    from oarepo_s3.models import Upload

    invenio_database.session.execute(sa.delete(Upload))
    invenio_database.session.commit()


@pytest.fixture(scope="session")
def scratch(tmp_path_factory) -> Path:
    """A directory for the files of a test run."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture
def person(app) -> Any:
    """Make users of the REST API: call it for a new one."""
    from .people import new_person

    return lambda: new_person(app)


@pytest.fixture
def uploader(person, bucket) -> Any:
    """Somebody who may upload to the bucket."""
    from .people import UPLOADER

    return person().grant(bucket, *UPLOADER)
