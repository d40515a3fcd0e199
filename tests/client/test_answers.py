# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the client makes of refusals, of wrong addresses and of networks: a sentence."""

from __future__ import annotations

import socket
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import pytest

from oarepo_s3_client.cli import TOKEN_VARIABLE

from ..services import AnswerProxy, free_port
from .conftest import GRANT, TOKEN

CALL = ["user.name:dataset", "--format", "env"]
NO_API = "is --url the address of the repository's API?"


def sentence(done) -> str:
    """Return what a command says that failed, and check that it says nothing else."""
    assert (done.exit_code, done.stdout) == (1, "")
    assert isinstance(done.exception, SystemExit)
    (line,) = done.stderr.splitlines()
    assert TOKEN not in line
    return line.removeprefix("Error: ")


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [
        (
            403,
            {"status": 403, "message": "You may not.", "code": "forbidden"},
            "You may not. (forbidden)",
        ),
        (401, {"status": 401, "message": "Who are you?"}, "Who are you?"),
        (409, {"message": "a\n\x1b[31mred\u202e", "code": "x"}, "a ?31mred  (x)"),
        (404, b"<html>", f"127.0.0.1 answered with status 404 and nothing *: {NO_API}"),
        (502, b"", f"127.0.0.1 answered with status 502 *: {NO_API}"),
        (500, {"message": None}, "127.0.0.1 answered with status 500 *"),
        (200, GRANT, "127.0.0.1 answered with status 200 *"),
        (201, [], "127.0.0.1 answered with status 201 *"),
        (201, {}, "The server's answer is not understood: *"),
        (201, {**GRANT, "credentials": "none"}, "The server's answer is not understood: *"),
        (201, {**GRANT, "region": 7}, "The server's answer is not understood: *"),
        (201, {**GRANT, "bucket": ""}, "The server's answer cannot be used. There is no bucket."),
        (201, {**GRANT, "prefix": "a\n[b]"}, "The server's answer cannot be used. The prefix *"),
    ],
)
def test_a_refusal_is_a_sentence(oarepo_s3, repository, status, answer, said):
    repository.status, repository.answer = status, answer
    assert fnmatchcase(sentence(oarepo_s3(*CALL)), said)


def test_a_redirect_does_not_get_the_token(oarepo_s3, repository):
    repository.status, repository.headers = 307, {"Location": f"{repository.url}/elsewhere"}
    said = sentence(oarepo_s3(*CALL))
    assert (
        said
        == f"127.0.0.1 sends us to {repository.url}/elsewhere: give the right address as --url."
    )
    assert len(repository.calls) == 1


def test_a_server_that_is_not_there(oarepo_s3):
    url = f"http://127.0.0.1:{free_port()}/api"
    assert sentence(oarepo_s3(*CALL, "--url", url)).startswith("127.0.0.1 cannot be reached")


def test_a_host_that_nobody_knows(oarepo_s3):
    url = "https://repo.invalid/api"
    assert sentence(oarepo_s3(*CALL, "--url", url)).startswith("repo.invalid cannot be reached")


def test_a_connection_that_breaks(oarepo_s3, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"https://127.0.0.1:{server.getsockname()[1]}/api"
        monkeypatch.setattr("oarepo_s3_client.api.TIMEOUT", 0.2)
        said = sentence(oarepo_s3(*CALL, "--url", url))
    assert said == "127.0.0.1 did not answer in time: try again."


def test_a_server_without_tls(oarepo_s3, repository):
    url = repository.url.replace("http:", "https:")
    assert sentence(oarepo_s3(*CALL, "--url", url)).startswith("127.0.0.1 ")


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://repo.example.org/api", "--url begins with http"),
        ("http://127.0.0.1.example.org/api", "--url begins with http"),
        ("ftp://repo.example.org/api", "--url is no address"),
        ("repo.example.org/api", "--url is no address"),
        ("https://", "--url is no address"),
        ("https://me:secret@repo.example.org/api", "--url is no address"),
        ("https://repo.example.org:port/api", "--url is no address"),
        ("https://[::1/api", "--url is no address"),
    ],
)
def test_no_token_goes_to_what_is_no_address_or_open_to_all(oarepo_s3, url, said):
    shown = sentence(oarepo_s3(*CALL, "--url", url))
    assert shown.startswith(said)
    assert "secret" not in shown


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ünicode"])
def test_a_token_that_is_none_is_not_shown(oarepo_s3, repository, monkeypatch, token):
    monkeypatch.setenv(TOKEN_VARIABLE, token)
    assert token not in sentence(oarepo_s3(*CALL))
    assert repository.calls == []


def test_the_proxy_of_the_environment_is_used_but_for_hosts_that_it_is_not_for(
    oarepo_s3, repository, monkeypatch
):
    with AnswerProxy(urlsplit(repository.url).port) as proxy:
        monkeypatch.setenv("http_proxy", proxy.endpoint_url)
        oarepo_s3(*CALL)
        assert len(proxy.exchanges) == 1
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        oarepo_s3(*CALL)
        assert len(proxy.exchanges) == 1
    assert len(repository.calls) == 2
