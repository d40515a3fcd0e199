# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``oarepo-s3 credentials`` at a real instance: people get keys to what is theirs, and use them."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Request
from invenio_accounts.models import User
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance

from oarepo_s3.services import NewUpload, create_upload, get_upload

from ..people import UPLOADER, Person
from ..serving import served
from .conftest import PREFIX, SCOPE
from .programs import run_shell
from .test_tools import content_of, printed

pytestmark = [pytest.mark.ceph, pytest.mark.postgres, pytest.mark.tools]

CLIENT = Path(__file__).parents[2] / "client" / "src"


def find_user(request: Request) -> User | None:
    """Return whose token it is: that of a user is their id."""
    authorization = request.authorization
    if authorization is None or not (authorization.token or "").isdecimal():
        return None
    return db.session.get(User, int(authorization.token or ""))


@pytest.fixture(scope="module")
def api(app) -> Iterator[str]:
    """Address of the instance's REST API."""
    app.login_manager.request_loader(find_user)
    with served(app) as address:
        yield address


@pytest.fixture
def oarepo_s3(api, folder) -> Any:
    """The command in a process of its own: call it as somebody, with its arguments."""

    def call(who: int | None, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "oarepo_s3_client", "credentials", *arguments, "--url", api],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": str(CLIENT),
                "OAREPO_S3_TOKEN": str(who),
            },
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    return call


@pytest.fixture
def owner(scope, person) -> Iterator[Person]:
    """Whoever owns the scope."""
    made = person()
    scope.user_id = made.user_id
    db.session.commit()
    yield made.grant(Bucket.get(scope.bucket_id), *UPLOADER)
    scope.user_id = None
    db.session.commit()


def test_the_owner_of_a_scope_copies_into_it(oarepo_s3, owner, store, format, folder):
    got = oarepo_s3(owner.user_id, SCOPE, "--format", format, "--output", "tool.conf")
    assert (got.returncode, got.stdout) == (0, ""), got.stderr
    client = store.client()
    client.put_object(Bucket=store.bucket, Key=f"{PREFIX}/listed.txt", Body=b"listed")
    client.close()
    done = run_shell(printed(got.stderr), folder)
    assert (done.returncode, "listed.txt" in done.stdout) == (0, True), done.stderr


def test_whoever_began_an_upload_sends_its_file(oarepo_s3, uploader, bucket, format, folder):
    content = content_of(9 * 2**20)
    wish = NewUpload(bucket.id, f"{format}.bin", len(content), user_id=uploader.user_id)
    upload_id = create_upload(wish).id
    got = oarepo_s3(uploader.user_id, str(upload_id), "--format", format, "--output", "tool.conf")
    assert got.returncode == 0, got.stderr
    (folder / "FILE").write_bytes(content)
    done = run_shell(printed(got.stderr), folder)
    assert done.returncode == 0, done.stderr
    completed = uploader.post(f"/multipart-uploads/{upload_id}/complete")
    assert completed.status_code == 200, completed.get_json()
    with FileInstance.get(get_upload(upload_id).file_id).storage().open() as stream:
        assert stream.read() == content


@pytest.mark.parametrize("target", [SCOPE, "nobody:nothing"])
def test_others_get_a_sentence(oarepo_s3, owner, person, target):
    got = oarepo_s3(person().user_id, target, "--format", "env")
    assert (got.returncode, got.stdout) == (1, "")
    assert got.stderr.startswith("Error: ")
    assert got.stderr.rstrip().endswith(("(forbidden)", "(scope_not_found)"))


def test_a_token_that_nobody_has_gets_a_sentence(oarepo_s3, scope):
    got = oarepo_s3(None, SCOPE, "--format", "env")
    assert got.stderr.rstrip().endswith("(not_authenticated)")
