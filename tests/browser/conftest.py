# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A repository with its page, a store that allows that page, and people who have a browser."""

from __future__ import annotations

import contextlib
import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket

from ..conftest import required, settings_for, start
from ..object_store import BUCKET, Store
from ..people import UPLOADER, new_person
from ..services import RcloneS3, free_port
from ..services.process import HOST
from ..sqlite import writers_wait
from .chromium import Chromium
from .gate import Gate
from .packages import install
from .site import Site, add_page
from .uploader import PART, Uploader
from .visitor import Visitor

CORS = Path(__file__).parents[2] / "docs/examples/cors.json"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """A browser without a window."""
    yield from start(Chromium())


@pytest.fixture(scope="module")
def axe() -> str:
    """The script of axe-core."""
    with required():
        return (install("axe") / "node_modules/axe-core/axe.min.js").read_text()


@pytest.fixture(scope="module")
def site_port() -> int:
    """Where the site will be: its address is the origin that the store has to allow."""
    return free_port()


@pytest.fixture(scope="module")
def store(place, site_port, request, tmp_path_factory) -> Iterator[Store]:
    """The store of the place, with a bucket that allows the site's pages."""
    origin = f"http://{HOST}:{site_port}"
    if place == "local":
        server = RcloneS3(tmp_path_factory.mktemp("rclone"), buckets=[BUCKET], allow_origin=origin)
        for running in start(server):
            yield Store.at(running)
        return
    ceph: Store = request.getfixturevalue("ceph_store")
    made = Store.at(ceph, f"browser-{uuid.uuid4()}")
    made.client().create_bucket(Bucket=made.bucket)
    allow(made, origin)
    yield made


def allow(store: Store, origin: str) -> None:
    """Set the rule of the documentation for pages from an origin."""
    rules = json.loads(CORS.read_text())
    for rule in rules["CORSRules"]:
        rule["AllowedOrigins"] = [origin]
    store.client().put_bucket_cors(Bucket=store.bucket, CORSConfiguration=rules)


@pytest.fixture(scope="module")
def whole_gate(store) -> Iterator[Gate]:
    """The way to the store, for all tests of a module."""
    with Gate(urlsplit(store.endpoint_url).port) as gate:
        yield gate


@pytest.fixture
def gate(whole_gate) -> Iterator[Gate]:
    """The way from the browser to the store; nothing has come yet, and all passes."""
    whole_gate.reset()
    yield whole_gate
    whole_gate.reset()


@pytest.fixture(scope="module")
def app_config(app_config, store, whole_gate, place, site_port) -> dict[str, Any]:
    """Settings of a real instance, which has sessions and CSRF protection."""
    app_config.update(
        settings_for(store),
        OAREPO_S3_PUBLIC_ENDPOINT_URL=whole_gate.endpoint_url,
        REST_CSRF_ENABLED=True,
        SESSION_COOKIE_SECURE=False,
        SITE_API_URL=f"http://{HOST}:{site_port}/api",
        SITE_UI_URL=f"http://{HOST}:{site_port}",
    )
    if place == "local":
        app_config["SQLALCHEMY_ENGINE_OPTIONS"] = {"connect_args": {"timeout": 30}}
    else:
        app_config["OAREPO_S3_PROFILE"] = "ceph"
    return app_config


@pytest.fixture(scope="module", autouse=True)
def _writers_wait() -> Iterator[None]:
    """Requests come in several threads: one that reads and then writes waits for the others."""
    with writers_wait():
        yield


@pytest.fixture(scope="module")
def site(app, site_port) -> Iterator[Site]:
    """The site, running."""
    made = Site(app, site_port)
    add_page(made)
    with made.serving():
        yield made


@pytest.fixture
def bucket_id(location) -> str:
    """The id of a fresh bucket."""
    made = str(Bucket.create(location=location).id)
    db.session.commit()
    db.session.remove()
    return made


@pytest.fixture
def sign_in(site, app, chromium) -> Iterator[Callable[..., Visitor]]:
    """Let somebody sign in: call it with a bucket, the rights on it and options of the browser.

    :return: what makes them; ``host`` is the name by which they know the site.
    """
    with contextlib.ExitStack() as stack:

        def signed_in(bucket_id: str, *actions: str, host: str = HOST, **options: Any) -> Visitor:
            person = new_person(app)
            person.grant(SimpleNamespace(id=bucket_id), *actions)
            user_id = person.user_id
            cookie = person.client.get_cookie(app.config["SESSION_COOKIE_NAME"])
            # No transaction stays open: on SQLite it would stop all others.
            db.session.remove()
            context = stack.enter_context(chromium.new_context(**options))
            address = site.address_at(host)
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
            return Visitor(context, address, user_id)

        yield signed_in


@pytest.fixture
def visitor(sign_in, bucket_id) -> Visitor:
    """Somebody who may upload to the bucket."""
    return sign_in(bucket_id, *UPLOADER)


@pytest.fixture
def uploader(visitor, bucket_id) -> Iterator[Uploader]:
    """The page of the bucket, open, with parts as small as they may be."""
    opened = Uploader.opened(visitor, bucket=bucket_id, part_size=PART)
    yield opened
    assert opened.errors == []


@pytest.fixture
def made(tmp_path) -> Callable[..., Path]:
    """Make a file: call it with a size, and a name if that matters."""

    def make(size: int, name: str = "data.bin") -> Path:
        file = tmp_path / name
        file.write_bytes(os.urandom(size))
        return file

    return make
