# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What setup does, at both places, asked by a machine."""

from __future__ import annotations

import json
import os
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from invenio_db import db
from invenio_files_rest.models import Location

from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.buckets import PRIVATE
from oarepo_s3.provisioning.fragment import HEADER

from ...conftest import REAL
from .kept import NOTHING, add_location, expected, kept
from .uses_fragment import CONTENT

ROOT = Path(__file__).parents[3]


def test_a_machine_sets_up_everything_and_the_second_time_nothing(
    set_up, given, store, bucket_name, folder, place
):
    first = set_up(given)
    assert kept(store, bucket_name, folder) == expected(bucket_name)
    written = (folder / "oarepo-s3.cfg").read_text()
    assert f"Bucket {bucket_name}: made." in first.stdout
    assert f"Location files (s3://{bucket_name}, the default): written." in first.stdout
    # What the next steps mend is no reason to refuse a bucket that was just made.
    assert ("x FAILURE  cors" in first.stdout) == (place == "real")
    assert "echo 'OAREPO_S3_ORIGINS = [\"https://...\"]' >> " in first.stdout
    variable = "INVENIO_S3_SECRET_ACCESS_KEY"
    assert f"  read -rs {variable} && export {variable}  # " in first.stdout
    assert "chmod" not in first.stdout, "nothing in it is secret"
    assert next_steps(first) == [
        "invenio s3 policy cors --location files --apply",
        "invenio s3 check files",
    ]

    second = set_up(given)
    assert next_steps(second) == next_steps(first), "the rules are there, or cannot be"
    assert "Nothing had to be changed." in second.stdout
    assert "Nothing had to be changed." not in first.stdout
    # The check may find what the next steps mend.
    assert "All is as it should be." not in second.stdout
    assert kept(store, bucket_name, folder) == expected(bucket_name)
    assert (folder / "oarepo-s3.cfg").read_text() == written
    for said in (first.output, second.output, written):
        assert store.secret_key not in said


def next_steps(done):
    """What is left to do by our own commands."""
    steps = done.stdout.partition("Next:\n")[2].splitlines()
    return [step.strip() for step in steps if step.startswith("  invenio s3 ")]


def test_a_bucket_is_made_private_with_its_rules(set_up, given, store, bucket_name, place):
    would = set_up(given, "--dry-run").stdout
    made = set_up(given).stdout
    for document in ("Public access block", "Lifecycle rules"):
        assert f"{document}: would be changed." in would
        assert (f"{document}: changed." in made) == (place == "real")
    for note in ("The store cannot block public access", "The store has no lifecycle rules"):
        assert (note in made) == (place == "local")
    if place == "real":
        client = store.client()
        block = client.get_public_access_block(Bucket=bucket_name)
        assert block["PublicAccessBlockConfiguration"] == PRIVATE
        rules = client.get_bucket_lifecycle_configuration(Bucket=bucket_name)["Rules"]
        assert {rule["ID"] for rule in rules} == {documents.UPLOADS_RULE, documents.FORMS_RULE}


@pytest.mark.parametrize("place", [REAL], indirect=True, scope="module")
def test_a_bucket_that_was_there_keeps_its_documents(set_up, given, store, bucket_name):
    client = store.client()
    client.create_bucket(Bucket=bucket_name)
    steps = next_steps(set_up(given))
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        client.get_bucket_lifecycle_configuration(Bucket=bucket_name)
    assert steps == [
        "invenio s3 policy cors --location files --apply",
        "invenio s3 policy lifecycle --location files --apply",
        "invenio s3 check files",
    ]


@pytest.mark.parametrize("place", [REAL], indirect=True, scope="module")
def test_no_step_is_left_for_what_the_check_has_found(
    set_up, given, store, bucket_name, app, monkeypatch
):
    pages = ["https://repo.example.org"]
    monkeypatch.setitem(app.config, "OAREPO_S3_ORIGINS", pages)
    cors = "invenio s3 policy cors --location files --apply"
    assert cors in next_steps(set_up(given))
    rules = documents.cors(pages)
    store.client().put_bucket_cors(Bucket=bucket_name, CORSConfiguration=rules)
    assert next_steps(set_up(given)) == ["invenio s3 check files"]


def test_json_says_the_same(set_up, given, bucket_name, place):
    said = json.loads(set_up(given, "--json").stdout)
    assert said["failed"] is False
    notes = said["bucket"].pop("notes")
    assert said["bucket"] == {"name": bucket_name, "created": True}
    assert len(notes) == {"real": 0, "local": 2}[place]
    uri = f"s3://{bucket_name}"
    assert said["location"] == {"name": "files", "uri": uri, "default": True, "changed": True}
    assert said["file"] == {"path": "oarepo-s3.cfg", "changed": True}
    assert said["report"]["profile"] is not None
    again = json.loads(set_up(given, "--json").stdout)
    assert again["bucket"]["created"] is False
    assert again["location"]["changed"] is False
    assert again["file"]["changed"] is False


def test_the_settings_are_private_and_really_upload(set_up, given, store, db_uri, folder):
    set_up(given)
    path = folder / "oarepo-s3.cfg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    environ = {**os.environ, "INVENIO_S3_SECRET_ACCESS_KEY": store.secret_key}
    check_upload(store, upload_with(path, db_uri, environ))


def test_with_the_secret_the_settings_are_enough(set_up, given, store, db_uri, folder):
    told = set_up(given, "--with-secret", "--output", "mine.cfg").stdout
    closing, joining = told.partition("Next:\n")[2].splitlines()[:2]
    settings = shlex.split(joining)[-1]
    assert closing.strip().startswith(f"touch {settings} && chmod 600 {settings}  # ")
    assert "read -rs" not in told
    path = folder / "mine.cfg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    check_upload(store, upload_with(path, db_uri, dict(os.environ)))


def upload_with(path, db_uri, environ):
    # SQLite has one writer: what a test has begun to read would keep the other process out.
    db.session.rollback()
    command = [sys.executable, "-m", "tests.cli.setup.uses_fragment", str(path), db_uri, "files"]
    done = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return ObjectURI.parse(done.stdout.strip())


def check_upload(store, uri):
    answer = store.client().get_object(Bucket=uri.bucket, Key=uri.key)
    assert answer["Body"].read() == CONTENT


def test_the_secret_need_not_stand_in_the_file(set_up, given, store, bucket_name, folder):
    del given["secret_key"]
    given["secret_key_env"] = "MY_SECRET"
    set_up(given, env={"MY_SECRET": store.secret_key})
    assert kept(store, bucket_name, folder) == expected(bucket_name)


def test_a_file_that_others_can_read_is_closed(set_up, given, folder):
    set_up(given)
    path = folder / "oarepo-s3.cfg"
    path.chmod(0o644)
    assert "Settings in oarepo-s3.cfg: written." in set_up(given).stdout
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().startswith(HEADER)


def test_a_dry_run_says_what_would_be_done(set_up, given, store, bucket_name, folder):
    said = set_up(given, "--dry-run").stdout
    assert f"Bucket {bucket_name}: would be made." in said
    assert "would be written" in said
    assert kept(store, bucket_name, folder) == NOTHING
    set_up(given)
    again = set_up(given, "--dry-run").stdout
    assert "Nothing has to be changed." in again
    assert "would be" not in again


def test_a_location_without_buckets_is_moved(set_up, given, store, bucket_name, folder):
    add_location("s3://elsewhere")
    set_up(given)
    assert kept(store, bucket_name, folder) == expected(bucket_name)


def test_a_slash_at_the_end_makes_no_other_location(set_up, given, bucket_name):
    add_location(f"s3://{bucket_name}/", default=True, buckets=1)
    assert "files (s3://" in set_up(given).stdout
    assert Location.get_by_name("files").uri == f"s3://{bucket_name}/"


def test_the_default_moves_only_when_that_was_said(set_up, given, run):
    add_location("file:///data", name="disk", default=True)
    set_up({**given, "default": False})
    assert Location.get_default().name == "disk"
    del given["default"]
    set_up(given)
    assert Location.get_default().name == "disk"
    set_up(given, "--default")
    assert Location.get_default().name == "files"
    set_up({**given, "default": False})
    assert Location.get_default().name == "files", "a repository has a default location"


def test_a_folder_of_a_bucket_is_a_location_too(
    set_up, given, bucket_name, store, db_uri, folder, place
):
    said = set_up({**given, "prefix": "some/folder"}, "--with-secret").stdout
    if place == "real":
        assert "+ ok       lifecycle" in said, "the folder is what was tested"
        found = store.client().get_bucket_lifecycle_configuration(Bucket=bucket_name)
        prefixes = {rule["Filter"]["Prefix"] for rule in found["Rules"]}
        assert prefixes == {"some/folder/", "some/folder/oarepo-s3-forms/"}
    assert Location.get_by_name("files").uri == f"s3://{bucket_name}/some/folder"
    uri = upload_with(folder / "oarepo-s3.cfg", db_uri, dict(os.environ))
    check_upload(store, uri)
    assert uri.key.startswith("some/folder/")


def test_what_setup_wrote_before_counts_until_the_instance_knows_it(
    set_up, given, bucket_name, folder
):
    set_up(given)
    written = (folder / "oarepo-s3.cfg").read_text()
    second = {**given, "prefix": "second", "location": "second", "default": False}
    refused = set_up({**second, "access_key": "another"}, status=1).stderr
    assert "The location files would have its files looked for" in refused
    assert (
        f"and no longer at {given['endpoint']} with the access key {given['access_key']}" in refused
    )
    assert (folder / "oarepo-s3.cfg").read_text() == written
    (folder / "oarepo-s3.cfg").write_text(f"{written}(\n")
    assert "and no longer at AWS with keys that the SDK finds" in set_up(second, status=1).stderr
    (folder / "oarepo-s3.cfg").write_text(written)
    assert f"Location second (s3://{bucket_name}/second): written." in set_up(second).stdout
