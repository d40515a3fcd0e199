# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What setup refuses: nothing is kept of it then."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from ...conftest import REAL
from ...services import Answer, AnswerProxy, free_port
from .kept import NOTHING, add_location, exists, kept


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


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["really", "dry"])
@pytest.mark.parametrize(
    ("what", "check", "sentence"),
    [
        ("secret", "keys", "The secret key does not belong to the access key."),
        ("endpoint", "address", "does not answer"),
    ],
)
def test_a_machine_is_told_why_in_a_document(set_up, wrong, what, check, sentence, dry_run):
    settings = wrong(what)
    result = set_up(settings, "--json", *dry_run, status=1)
    told = json.loads(result.stdout)
    (finding,) = told.pop("findings")
    assert told == {"failed": True}
    assert (finding["check"], finding["level"]) == (check, "failure")
    assert sentence in finding["message"]
    assert "invenio s3 setup" in finding["remedy"]
    assert result.stderr == ""
    assert settings["secret_key"] not in result.output


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


def test_a_bucket_that_may_not_be_furnished_goes_again(set_up, given, store, bucket_name, folder):
    denied = Answer(403, body=b"<Error><Code>AccessDenied</Code></Error>")
    with AnswerProxy(urlsplit(store.endpoint_url).port) as proxy:
        proxy.answer(denied, method="PUT", query="publicAccessBlock")
        proxy.answer(denied, method="GET", query="publicAccessBlock")
        result = set_up({**given, "endpoint": proxy.endpoint_url}, status=1)
        assert proxy.changed
    assert "The keys may make the bucket, but neither block public access" in result.stderr
    assert f"invenio s3 bucket create {bucket_name}" in result.stderr
    assert kept(store, bucket_name, folder) == NOTHING


def test_a_file_that_cannot_be_written_keeps_nothing(set_up, given, store, bucket_name, folder):
    result = set_up(given, "--output", "no/such/folder.cfg", status=1)
    assert "folder" in result.stderr
    assert kept(store, bucket_name, folder) == NOTHING


def test_a_file_of_somebody_else_is_not_replaced(set_up, given, store, bucket_name, folder):
    (folder / "oarepo-s3.cfg").write_text("MINE = 1\n")
    assert "was not written by setup" in set_up(given, status=1).stderr
    (told,) = json.loads(set_up(given, "--json", status=1).stdout)["findings"]
    assert (told["check"], told["remedy"]) == ("file", None)
    assert (folder / "oarepo-s3.cfg").read_text() == "MINE = 1\n"
    assert not exists(store, bucket_name)


def test_a_link_is_not_followed_and_not_replaced(set_up, given, store, bucket_name, folder):
    (folder / "oarepo-s3.cfg").symlink_to(folder / "elsewhere.cfg")
    assert "no plain file: name the file itself" in set_up(given, status=1).stderr
    assert (folder / "oarepo-s3.cfg").is_symlink()
    assert not exists(store, bucket_name)


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]], ids=["really", "dry"])
def test_a_location_is_not_moved_from_under_its_files(
    set_up, given, store, bucket_name, folder, dry_run
):
    add_location("s3://elsewhere", buckets=1)
    result = set_up(given, *dry_run, status=1)
    assert "The location files is s3://elsewhere, and has buckets there" in result.stderr
    (told,) = json.loads(set_up(given, "--json", *dry_run, status=1).stdout)["findings"]
    assert told["check"] == "location"
    after = kept(store, bucket_name, folder)
    assert after.locations == [("files", "s3://elsewhere", False)]
    assert (after.bucket, after.files) == (False, [])


def test_an_end_of_input_keeps_nothing(run, given, store, bucket_name, folder):
    run("setup", input="\n\n", status=1)
    assert kept(store, bucket_name, folder) == NOTHING


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
    result = set_up({**given, "backend": "memory"}, status=2)
    assert "backend has to be one that speaks S3: s3" in result.stderr
    assert kept(store, bucket_name, folder) == NOTHING
