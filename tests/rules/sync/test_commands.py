# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 scopes`` and ``invenio s3 sync``: what they print, and how they end."""

from __future__ import annotations

import json
import shlex

import pytest
from flask_security import login_user
from invenio_access.cli import access
from invenio_accounts.models import User
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion

from oarepo_s3.cli import s3
from oarepo_s3.core.errors import Forbidden, StoreDenied
from oarepo_s3.permissions import require_scope
from oarepo_s3.services import get_scope, list_scopes

from .reports import NAME, PREFIX


@pytest.fixture
def invenio(app, memory):
    """Run a command; return what it printed, which has to end with the status."""

    def run(*arguments, status=0):
        db.session.commit()
        done = app.test_cli_runner().invoke(s3, arguments)
        db.session.rollback()
        assert done.exit_code == status, done.output
        return done.output if status else done.stdout

    return run


def test_a_scope_is_made_listed_and_forgotten(invenio, location, person):
    user = db.session.get(User, person().user_id)
    make = ["scopes", "create", NAME, "--location", "default", "--user", user.email]
    assert invenio(*make, "--dry-run") == f"{NAME} would be made: '{PREFIX}' in default.\n"
    assert list_scopes() == []
    made = json.loads(invenio(*make, "--json"))
    found = get_scope(NAME)
    assert (
        made.items()
        >= {
            "name": NAME,
            "created": True,
            "location": "default",
            "prefix": PREFIX,
            "bucket": str(found.bucket_id),
            "user": user.id,
            "synced_at": None,
        }.items()
    )
    assert invenio(*make).splitlines()[:2] == [
        f"{NAME} is there already: '{PREFIX}' in default",
        f"bucket {found.bucket_id}",
    ]
    assert json.loads(invenio("scopes", "list", "--json"))["scopes"][0]["name"] == NAME
    assert f"{NAME}  default:{PREFIX}  bucket {found.bucket_id}" in invenio("scopes", "list")
    remove = ["scopes", "remove", NAME]
    assert "would be forgotten" in invenio(*remove, "--dry-run")
    assert json.loads(invenio(*remove, "--json")) == {"name": NAME, "removed": True}
    assert invenio(*remove) == f"There is no scope {NAME}.\n"
    assert Bucket.get(made["bucket"]) is not None


def test_an_owner_who_lacks_the_right_is_given_it_by_the_printed_command(
    app, invenio, location, person
):
    owner = person()
    user = db.session.get(User, owner.user_id)
    make = ["scopes", "create", NAME, "--location", "default", "--user", user.email]
    *_, said = invenio(*make).splitlines()
    command = said.partition("`")[2].rstrip("`")
    invenio_, access_, *arguments = shlex.split(command)
    assert (invenio_, access_) == ("invenio", access.name)
    assert json.loads(invenio(*make, "--json"))["permit"] == command
    assert may_have_keys(app, user) is False
    done = app.test_cli_runner().invoke(access, arguments)
    assert done.exit_code == 0, done.output
    assert may_have_keys(app, user) is True
    assert len(invenio(*make).splitlines()) == 2
    assert json.loads(invenio(*make, "--json"))["permit"] is None


def may_have_keys(app, user):
    """Whether a request of this user is let through."""
    with app.test_request_context():
        login_user(user)
        try:
            require_scope(get_scope(NAME))
        except Forbidden:
            return False
        return True


def test_refusals_are_sentences(invenio, scope, bucket):
    make = ["scopes", "create", "--location", "default"]
    assert "(scope_taken)" in invenio(*make, NAME, "--prefix", "x", status=1)
    assert "(invalid_scope)" in invenio(*make, "x", status=1)
    assert "There is no user a@b." in invenio(*make, "a:b", "--user", "a@b", status=2)
    assert "not a valid UUID" in invenio(*make, "a:b", "--bucket", "x", status=2)
    assert "Missing option" in invenio("scopes", "create", "a:b", status=2)
    assert "(scope_not_found)" in invenio("sync", "user:other", status=1)
    assert "Missing argument" in invenio("sync", status=2)


def test_a_sync_prints_what_it_did(invenio, memory, scope, put):
    put("a")
    put("b\t")
    printed = invenio("sync", NAME)
    assert printed == (
        "! b_: it has control characters\n"
        f"{NAME}, bucket {scope.bucket_id}:"
        " 1 new, 0 changed, 0 gone, 0 unchanged, 0 known otherwise, 1 skipped\n"
    )
    memory.delete(f"{PREFIX}/a")
    assert ": 0 new, 0 changed, 1 gone, 0 unchanged" in invenio("sync", NAME)
    assert ": 0 new, 0 changed, 1 deleted, 0 unchanged" in invenio("sync", NAME, "--delete")


def test_a_dry_run_prints_the_difference(invenio, memory, target, put):
    for key in "abc":
        put(key)
    invenio("sync", NAME)
    put("a", b"other")
    memory.delete(f"{PREFIX}/b")
    put("d")
    put("e/", b"")
    *lines, end = invenio("sync", NAME, "--dry-run").splitlines()
    assert sorted(lines) == ["! e/: it is a folder", "+ d", "- b", "~ a"]
    assert "(dry run): 1 new, 1 changed, 1 gone, 1 unchanged" in end
    document = json.loads(invenio("sync", NAME, "--dry-run", "--json"))
    told = document.pop("changes")
    assert {"kind": "changed", "key": "a", "size": 5} in told
    assert {"kind": "skipped", "key": "e/", "size": 0, "reason": "it is a folder"} in told
    assert len(told) == 4
    assert document.items() >= {"scope": NAME, "added": 1, "gone": 1, "dry_run": True}.items()
    assert json.loads(invenio("sync", NAME, "--json"))["changes"] == [
        {"kind": "skipped", "key": "e/", "size": 0, "reason": "it is a folder"}
    ]
    assert json.loads(invenio("sync", "default:none", "--dry-run", "--json"))["changes"] == []


def test_a_new_place_gets_a_bucket_whose_id_is_printed(invenio, location, put):
    put("a", prefix="outside/")
    assert "default:outside, a new bucket (dry run): 1 new" in invenio(
        "sync", "default:outside", "--dry-run"
    )
    printed = invenio("sync", "default:outside")
    bucket_id = printed.partition("bucket ")[2].partition(":")[0]
    assert ObjectVersion.get(bucket_id, "a").file.size == 7


def test_a_store_that_refuses_is_a_sentence(invenio, memory, scope):
    memory.fail("list_objects", StoreDenied(reason="AccessDenied"))
    said = invenio("sync", NAME, status=1)
    assert said.startswith("Error: The object store refused")
    assert said.endswith("(store_denied)\n")
