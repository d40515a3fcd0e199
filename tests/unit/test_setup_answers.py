# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What setup takes for an answer, and the settings that it writes."""

from __future__ import annotations

import ast
from dataclasses import replace

import pytest

from oarepo_s3.provisioning.answers import QUESTIONS, Answers, WrongAnswers, complete, read_file
from oarepo_s3.provisioning.fragment import HEADER, write_fragment

SECRET = "s3cret/+=\"'\\"

GOOD = {
    "backend": "s3",
    "profile": "ceph",
    "endpoint": "https://s3.example.org",
    "public_endpoint": None,
    "region": "us-east-1",
    "access_key": "key",
    "secret_key": SECRET,
    "bucket": "repository",
    "prefix": None,
    "role": None,
    "location": "s3-default",
    "default": True,
}


def test_a_file_of_all_names_is_read_as_it_is():
    assert read_file(GOOD, {}) == GOOD
    assert complete(GOOD) == Answers(**GOOD)
    assert list(GOOD) == [question.name for question in QUESTIONS]


def test_an_empty_file_says_nothing():
    assert read_file(None, {}) == {}


def test_the_secret_may_come_from_the_environment():
    read = read_file({"secret_key_env": "MY_SECRET"}, {"MY_SECRET": SECRET})
    assert read == {"secret_key": SECRET}


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        ({"bukcet": "a"}, "'bukcet' is no setting; did you mean 'bucket'?"),
        ({"endpoint_url": "a"}, "'endpoint_url' is no setting; did you mean 'endpoint'?"),
        ({"secret": "a"}, "'secret' is no setting; did you mean 'secret_key'?"),
        ({7: "a"}, "'7' is no setting; did you mean"),
        ({"access_key": 12345678}, "access_key has to be a text: put it in quotes"),
        ({"bucket": True}, "bucket has to be a text"),
        ({"bucket": ["a"]}, "bucket has to be a text"),
        ({"bucket": None}, "bucket is missing"),
        ({"bucket": "none"}, "bucket is missing"),
        ({"bucket": "a"}, "bucket has to be 3 to 63"),
        ({"bucket": "a/b"}, "bucket has to be 3 to 63"),
        ({"bucket": "abc\n"}, None),
        ({"profile": "cepf"}, "profile has to be one of aws, ceph, ceph-20, minio, other"),
        ({"backend": "azure"}, "backend has to be one that speaks S3: s3"),
        ({"endpoint": "s3.example.org"}, "endpoint has to be an address such as"),
        ({"endpoint": "ftp://s3.example.org"}, "endpoint has to be an address such as"),
        ({"endpoint": "https://key:word@s3.example.org"}, "endpoint has to be an address such as"),
        ({"endpoint": "https://s3.example.org:99999"}, "endpoint has to be an address such as"),
        ({"endpoint": "https://s3.example.org?a=b"}, "endpoint has to be an address such as"),
        ({"endpoint": "https://["}, "endpoint has to be an address such as"),
        ({"role": "uploader"}, "role has to be an ARN such as"),
        ({"location": "S3"}, "location has to be 2 to 20 small letters"),
        ({"location": "a" * 21}, "location has to be 2 to 20 small letters"),
        ({"default": "maybe"}, "default has to be yes or no"),
        ({"secret_key_env": "MISSING"}, "an environment variable that is not set"),
        ({"secret_key": "a", "secret_key_env": "SET"}, "are both given: leave one out"),
    ],
    ids=str,
)
def test_a_wrong_entry_is_refused_with_what_was_expected(entries, complaint):
    if complaint is None:
        assert read_file(entries, {}) == {"bucket": "abc"}
        return
    with pytest.raises(WrongAnswers) as refused:
        read_file(entries, {"SET": "b"})
    assert complaint in str(refused.value)


def test_all_complaints_come_at_once_and_no_secret_with_them():
    with pytest.raises(WrongAnswers) as refused:
        read_file({"secret_key": "two words", "bucket": "a", "profil": "aws"}, {})
    assert len(str(refused.value).splitlines()) == 3
    assert "two words" not in str(refused.value)


@pytest.mark.parametrize("content", ["bucket", ["bucket"], 7])
def test_what_is_no_mapping_is_refused(content):
    with pytest.raises(WrongAnswers, match="name: value"):
        read_file(content, {})


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"bucket": None}, "bucket is missing"),
        ({"default": None}, "default is missing"),
        ({"endpoint": None}, "endpoint is missing: only AWS has none"),
        ({"secret_key": None}, "secret_key is missing: access key and secret key belong together"),
        ({"access_key": None}, "access_key is missing"),
    ],
    ids=str,
)
def test_answers_that_do_not_fit_each_other_are_refused(change, complaint):
    with pytest.raises(WrongAnswers, match=complaint):
        complete({**GOOD, **change})


def test_aws_needs_no_address_and_keys_may_be_left_to_the_sdk():
    complete({**GOOD, "profile": "aws", "endpoint": None})
    complete({**GOOD, "access_key": None, "secret_key": None})


def test_no_default_is_an_answer_and_no_slash_at_the_end_an_address():
    assert complete({**GOOD, "default": False}).default is False
    assert (
        read_file({"endpoint": "http://10.0.0.1:8080/"}, {})["endpoint"] == "http://10.0.0.1:8080"
    )


def test_answers_do_not_show_their_secret():
    assert SECRET not in repr(complete(GOOD))


def settings_of(fragment, **environ):
    """Run the settings as Flask does; return those that it would take."""
    ast.parse(fragment)
    names = {}
    exec(compile(fragment, "oarepo-s3.cfg", "exec"), names)
    return {name: value for name, value in names.items() if name.isupper()}


def test_the_settings_are_read_back_as_they_were_answered(monkeypatch):
    answers = complete({**GOOD, "public_endpoint": "https://files.example.org"})
    expected = {
        "FILES_REST_STORAGE_FACTORY": "oarepo_s3.storage.s3_storage_factory",
        "S3_ENDPOINT_URL": "https://s3.example.org",
        "S3_REGION_NAME": "us-east-1",
        "S3_ACCESS_KEY_ID": "key",
        "S3_SECRET_ACCESS_KEY": SECRET,
        "OAREPO_S3_PROFILE": "ceph",
        "OAREPO_S3_PUBLIC_ENDPOINT_URL": "https://files.example.org",
        "OAREPO_S3_UPLOAD_ROLE": None,
    }
    with_secret = write_fragment(answers, with_secret=True)
    assert settings_of(with_secret) == expected
    without = write_fragment(answers, with_secret=False)
    assert "s3cret" not in without
    monkeypatch.setenv("INVENIO_S3_SECRET_ACCESS_KEY", "from the environment")
    assert settings_of(without) == {**expected, "S3_SECRET_ACCESS_KEY": "from the environment"}
    assert with_secret.startswith(HEADER)
    assert without.startswith(HEADER)


def test_without_keys_the_settings_name_no_environment():
    answers = replace(complete(GOOD), access_key=None, secret_key=None)
    fragment = write_fragment(answers, with_secret=False)
    assert settings_of(fragment)["S3_SECRET_ACCESS_KEY"] is None
    assert "environ" not in fragment
