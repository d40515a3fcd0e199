# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What setup has kept, seen from outside."""

from __future__ import annotations

from types import SimpleNamespace

from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.models import StoreProfile


def exists(store, name):
    return name in {listed["Name"] for listed in store.client().list_buckets()["Buckets"]}


def kept(store, name, folder):
    """All that setup can have kept: bucket, locations, profiles, files."""
    files = sorted(path.name for path in folder.iterdir() if path.name != "answers.yml")
    return SimpleNamespace(
        bucket=exists(store, name),
        locations=[(found.name, found.uri, found.default) for found in Location.all()],
        profiles=[found.place for found in db.session.query(StoreProfile)],
        files=files,
    )


NOTHING = SimpleNamespace(bucket=False, locations=[], profiles=[], files=[])


def expected(name):
    return SimpleNamespace(
        bucket=True,
        locations=[("files", f"s3://{name}", True)],
        profiles=[f"s3://{name}"],
        files=["oarepo-s3.cfg"],
    )


def add_location(uri, *, name="files", default=False, buckets=0):
    location = Location(name=name, uri=uri, default=default)
    db.session.add(location)
    db.session.flush()
    for _ in range(buckets):
        Bucket.create(location=location)
    db.session.commit()
