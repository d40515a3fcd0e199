# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 setup`` and ``invenio s3 backends``, at both places.

The instance itself has no settings of a store: what works, works by what was answered.
"""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
import uuid
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
import yaml
from invenio_db import db
from invenio_files_rest.models import Bucket, FileInstance, Location, ObjectVersion

from oarepo_s3.backends import registry
from oarepo_s3.cli import s3
from oarepo_s3.core.uris import ObjectURI
from oarepo_s3.models import StoreProfile
from oarepo_s3.provisioning.fragment import HEADER

from ..conftest import REAL
from ..services import Answer, AnswerProxy
from ..services.process import free_port
from .uses_fragment import CONTENT

ROOT = Path(__file__).parents[2]


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


def exists(store, name):
    return name in {listed["Name"] for listed in store.client().list_buckets()["Buckets"]}


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
    assert ("! WARNING  lifecycle" in first.stdout) == (place == "real")
    steps = first.stdout.partition("Next:\n")[2].splitlines()
    assert [step.strip() for step in steps][2:5] == [
        "invenio s3 policy cors --location files --apply",
        "invenio s3 policy lifecycle --location files --apply",
        "invenio s3 check files",
    ]

    second = set_up(given)
    assert "All is as it should be." in second.stdout
    assert "All is as it should be." not in first.stdout
    assert kept(store, bucket_name, folder) == expected(bucket_name)
    assert (folder / "oarepo-s3.cfg").read_text() == written
    for said in (first.output, second.output, written):
        assert store.secret_key not in said


def test_json_says_the_same(set_up, given, bucket_name):
    said = json.loads(set_up(given, "--json").stdout)
    assert said["bucket"] == {"name": bucket_name, "created": True}
    uri = f"s3://{bucket_name}"
    assert said["location"] == {"name": "files", "uri": uri, "default": True, "changed": True}
    assert said["file"] == {"path": "oarepo-s3.cfg", "changed": True}
    assert said["report"]["profile"] is not None
    again = json.loads(set_up(given, "--json").stdout)
    assert again["bucket"]["created"] is False
    assert again["location"]["changed"] is False
    assert again["file"]["changed"] is False


def answers_of(given):
    """What somebody types: an empty line takes what is suggested."""
    return [
        "",  # s3
        given["profile"],
        given["endpoint"],
        "",  # no other address for browsers
        given["region"],
        given["access_key"],
        given["secret_key"],
        given["bucket"],
        "",  # all of the bucket
        "",  # no role
        given["location"],
        "yes",
    ]


def test_what_is_typed_gives_the_same_as_the_file(run, set_up, given, store, bucket_name, folder):
    typed = run("setup", input="".join(f"{line}\n" for line in answers_of(given)))
    of_typing = kept(store, bucket_name, folder)
    fragment = (folder / "oarepo-s3.cfg").read_text()
    assert of_typing == expected(bucket_name)
    assert store.secret_key not in typed.output
    assert "s3: AWS, Ceph RGW, MinIO" in typed.stderr
    assert "Secret key" not in typed.stdout, "standard output has the result alone"
    assert "All is as it should be." in set_up(given).stdout
    assert (folder / "oarepo-s3.cfg").read_text() == fragment


def test_a_wrong_answer_is_asked_for_again(run, given, store, bucket_name, folder):
    lines = answers_of(given)
    lines[1:1] = ["cepf"]
    lines[3:3] = ["s3.example.org"]
    typed = run("setup", input="".join(f"{line}\n" for line in lines))
    assert "profile has to be one of" in typed.stderr
    assert "endpoint has to be an address" in typed.stderr
    assert kept(store, bucket_name, folder) == expected(bucket_name)


def test_the_instances_own_settings_are_suggested(run, app, given, store, bucket_name, folder):
    app.config.update(
        S3_ENDPOINT_URL=store.endpoint_url,
        S3_ACCESS_KEY_ID=store.access_key,
        S3_SECRET_ACCESS_KEY=store.secret_key,
        OAREPO_S3_PROFILE="ceph",
    )
    try:
        typed = run("setup", input="\n" * 7 + f"{bucket_name}\n\n\nfiles\n\n")
    finally:
        app.config.update(
            S3_ENDPOINT_URL=None,
            S3_ACCESS_KEY_ID=None,
            S3_SECRET_ACCESS_KEY=None,
            OAREPO_S3_PROFILE="other",
        )
    assert f"[{store.endpoint_url}]" in typed.stderr
    assert f"[{store.access_key}]" in typed.stderr
    assert store.secret_key not in typed.output
    assert kept(store, bucket_name, folder) == expected(bucket_name)


@pytest.mark.parametrize("place", [REAL], indirect=True, scope="module")
def test_at_a_real_terminal_the_secret_is_not_seen(given, store, bucket_name, folder, db_uri, app):
    seen, status = at_a_terminal(db_uri, folder, answers_of(given))
    assert status == 0, seen
    assert store.secret_key not in seen
    assert given["access_key"] in seen, "what is no secret is"
    assert f"Bucket {bucket_name}: made." in seen
    assert kept(store, bucket_name, folder) == expected(bucket_name)


def at_a_terminal(db_uri, folder, lines):
    """Run setup in a process that has a terminal, and type a line at each prompt."""
    screen, terminal = pty.openpty()
    command = [sys.executable, "-m", "tests.cli.console", db_uri, "setup"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    with subprocess.Popen(
        command,
        cwd=folder,
        env=environ,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        seen = b""
        waiting = list(lines)
        # The process ends, and its terminal with it: reading then fails.
        with suppress(OSError):
            while True:
                seen += os.read(screen, 4096)
                if waiting and seen.rpartition(b"\n")[2].endswith(b": "):
                    os.write(screen, f"{waiting.pop(0)}\n".encode())
        os.close(screen)
    return seen.decode(), process.returncode


def test_an_end_of_input_keeps_nothing(run, given, store, bucket_name, folder):
    run("setup", input="\n\n", status=1)
    assert kept(store, bucket_name, folder) == NOTHING


def test_the_settings_are_private_and_really_upload(set_up, given, store, db_uri, folder):
    set_up(given)
    path = folder / "oarepo-s3.cfg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    environ = {**os.environ, "INVENIO_S3_SECRET_ACCESS_KEY": store.secret_key}
    check_upload(store, upload_with(path, db_uri, environ))


def test_with_the_secret_the_settings_are_enough(set_up, given, store, db_uri, folder):
    set_up(given, "--with-secret", "--output", "mine.cfg")
    path = folder / "mine.cfg"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    check_upload(store, upload_with(path, db_uri, dict(os.environ)))


def upload_with(path, db_uri, environ):
    # SQLite has one writer: what a test has begun to read would keep the other process out.
    db.session.rollback()
    command = [sys.executable, "-m", "tests.cli.uses_fragment", str(path), db_uri, "files"]
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


@pytest.fixture
def wrong(given, place, request):
    """Settings that cannot work, by what is wrong with them."""

    def change(what):
        if what == "secret":
            return {**given, "secret_key": "not-the-secret"}
        if what == "key":
            return {**given, "access_key": "nobody"}
        return {**given, "endpoint": f"http://127.0.0.1:{free_port()}"}

    return change


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["really", "dry"])
@pytest.mark.parametrize(
    ("what", "sentence"),
    [
        ("secret", "The secret key does not belong to the access key."),
        ("key", "The store does not know the access key"),
        ("endpoint", "does not answer"),
    ],
)
def test_what_cannot_work_keeps_nothing(
    set_up, wrong, store, bucket_name, folder, what, sentence, dry_run
):
    settings = wrong(what)
    result = set_up(settings, *dry_run, status=1)
    assert sentence in result.stderr
    assert result.stdout == ""
    assert settings["secret_key"] not in result.output
    assert kept(store, bucket_name, folder) == NOTHING


@pytest.mark.parametrize("place", [REAL], indirect=True, scope="module")
def test_a_bucket_of_somebody_else_is_left_alone(set_up, given, ceph, store, folder, bucket_name):
    other = {"access_key": "setupother", "secret_key": "setupothersecretsetupother"}
    names = ["--uid", "setup-other", "--display-name", "other"]
    ceph.admin(
        "user",
        "create",
        *names,
        "--access-key",
        other["access_key"],
        "--secret",
        other["secret_key"],
    )
    try:
        store.client().create_bucket(Bucket=bucket_name)
        result = set_up({**given, **other}, status=1)
        assert f"The bucket '{bucket_name}' is somebody else's" in result.stderr
        assert exists(store, bucket_name)
        nothing = kept(store, bucket_name, folder)
        nothing.bucket = False
        assert nothing == NOTHING
    finally:
        ceph.admin("user", "rm", "--uid", "setup-other")


@pytest.mark.parametrize("there", [False, True], ids=["made", "there before"])
def test_a_bucket_that_fails_the_test_goes_if_it_was_made(
    set_up, given, store, bucket_name, folder, there
):
    if there:
        store.client().create_bucket(Bucket=bucket_name)
    denied = Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>")
    with AnswerProxy(urlsplit(store.endpoint_url).port) as proxy:
        proxy.answer(denied, method="POST", query="uploads")
        result = set_up({**given, "endpoint": proxy.endpoint_url}, status=1)
        assert proxy.changed
    assert "The keys may not s3:PutObject" in result.stderr
    assert "invenio s3 policy server" in result.stderr
    after = kept(store, bucket_name, folder)
    assert after.bucket is there
    after.bucket = False
    assert after == NOTHING


def test_a_file_that_cannot_be_written_keeps_nothing(set_up, given, store, bucket_name, folder):
    result = set_up(given, "--output", "no/such/folder.cfg", status=1)
    assert "folder" in result.stderr
    assert kept(store, bucket_name, folder) == NOTHING


def test_a_file_of_somebody_else_is_not_replaced(set_up, given, store, bucket_name, folder):
    (folder / "oarepo-s3.cfg").write_text("MINE = 1\n")
    assert "was not written by setup" in set_up(given, status=1).stderr
    assert (folder / "oarepo-s3.cfg").read_text() == "MINE = 1\n"
    assert not exists(store, bucket_name)


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
    assert "All is as it should be." in again
    assert "would be" not in again


def add_location(uri, *, name="files", default=False, buckets=0):
    location = Location(name=name, uri=uri, default=default)
    db.session.add(location)
    db.session.flush()
    for _ in range(buckets):
        Bucket.create(location=location)
    db.session.commit()


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["really", "dry"])
def test_a_location_is_not_moved_from_under_its_files(
    set_up, given, store, bucket_name, folder, dry_run
):
    add_location("s3://elsewhere", buckets=1)
    result = set_up(given, *dry_run, status=1)
    assert "The location files is s3://elsewhere, and has buckets there" in result.stderr
    after = kept(store, bucket_name, folder)
    assert after.locations == [("files", "s3://elsewhere", False)]
    assert (after.bucket, after.files) == (False, [])


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


def test_a_folder_of_a_bucket_is_a_location_too(set_up, given, bucket_name, store, db_uri, folder):
    set_up({**given, "prefix": "some/folder"}, "--with-secret")
    assert Location.get_by_name("files").uri == f"s3://{bucket_name}/some/folder"
    uri = upload_with(folder / "oarepo-s3.cfg", db_uri, dict(os.environ))
    check_upload(store, uri)
    assert uri.key.startswith("some/folder/")


def test_a_wrong_file_is_a_wrong_call(set_up, given, store, bucket_name, folder, run):
    given["endpont"] = given.pop("endpoint")
    given["access_key"] = 7
    result = set_up(given, status=2)
    assert "'endpont' is no setting; did you mean 'endpoint'?" in result.stderr
    assert "access_key has to be a text" in result.stderr
    (folder / "answers.yml").write_text("secret_key: [unclosed\n  : secret")
    result = run("setup", "-n", "--config", "answers.yml", status=2)
    assert "The file is no YAML: something is wrong in line" in result.stderr
    assert "unclosed" not in result.output
    assert kept(store, bucket_name, folder) == NOTHING


def test_what_is_missing_is_named(set_up, given):
    del given["endpoint"], given["bucket"]
    result = set_up(given, status=2)
    assert "bucket is missing" in result.stderr
    assert "endpoint is missing" in result.stderr


def test_no_other_back_end_is_set_up(set_up, given, bucket_name, folder, store):
    result = set_up({**given, "backend": "memory"}, status=1)
    assert "Only S3 stores can be set up" in result.stderr
    assert kept(store, bucket_name, folder) == NOTHING


def test_the_installed_back_ends_are_listed_with_a_line_each(run):
    assert run("backends").stdout.splitlines() == [
        "memory: A store in the memory of one process, for tests: without a server, and soon"
        " forgotten.",
        "s3: AWS, Ceph RGW, MinIO and other stores that speak S3: one bucket, thread-safe.",
    ]
    listed = json.loads(run("backends", "--json").stdout)["backends"]
    assert [backend["name"] for backend in listed] == ["memory", "s3"]


def test_a_broken_back_end_does_not_hide_the_others(run, monkeypatch):
    found = registry.entry_points(group=registry.ENTRY_POINT_GROUP)
    broken = registry.EntryPoint("broken", "no_such_package:Store", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda **_: [*found, broken])
    lines = run("backends").stdout.splitlines()
    assert lines[0].startswith("broken: cannot be loaded: ModuleNotFoundError")
    assert len(lines) == 3
