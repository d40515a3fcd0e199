# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which signer S3Store takes, for which address, and how long its URLs live."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from oarepo_s3.backends import StoreConfig, s3_urls
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.backends.s3_urls import UrlSigner
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreDenied

HOUR = timedelta(hours=1)
PATH_STYLE = {"signature_version": "s3v4", "s3": {"addressing_style": "path"}}
VIRTUAL = {"signature_version": "s3v4", "s3": {"addressing_style": "virtual"}}
VERSION_2 = {"signature_version": "s3", "s3": {"addressing_style": "path"}}


def store(options: dict[str, Any] = PATH_STYLE, **changes: Any) -> S3Store:
    settings: dict[str, Any] = {
        "endpoint_url": "https://s3.example.org",
        "region": "us-east-1",
        "credentials": Credentials("AKID", "secret"),
        "client_options": options,
    }
    return S3Store("bucket", StoreConfig(**{**settings, **changes}))


def ending_in(lifetime: timedelta) -> Credentials:
    return Credentials("AKID", "secret", "token", datetime.now(UTC) + lifetime)


def query(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def part_url(made: S3Store, lifetime: timedelta = HOUR) -> str:
    return made.part_signer("a key", "upload", lifetime=lifetime).sign(7)


@pytest.fixture
def sdk_calls(monkeypatch) -> list[str]:
    """The operations that the SDK was asked to sign."""
    calls: list[str] = []
    presign = UrlSigner._presign

    def counted(self: UrlSigner, operation: str, *arguments: Any) -> str:
        calls.append(operation)
        return presign(self, operation, *arguments)

    monkeypatch.setattr(UrlSigner, "_presign", counted)
    return calls


def test_10000_path_style_urls_cost_one_comparison_with_the_sdk(sdk_calls):
    made = store()
    for upload in range(10):
        sign = made.part_signer("key", f"upload-{upload}", lifetime=HOUR).sign
        assert len({sign(part) for part in range(1, 1001)}) == 1000
    assert len(sdk_calls) == 1


def test_an_own_url_is_the_one_that_the_sdk_would_have_signed():
    made = store()
    url = part_url(made)
    theirs = made._signer._presign_part("a key", "upload", 7, HOUR)
    if query(theirs)["X-Amz-Date"] != query(url)["X-Amz-Date"]:
        url = part_url(made)
    assert url == theirs


@pytest.mark.parametrize(
    ("options", "changes", "host", "mark"),
    [
        pytest.param(VIRTUAL, {}, "bucket.s3.example.org", "X-Amz-Signature", id="virtual host"),
        pytest.param(VERSION_2, {}, "s3.example.org", "Signature", id="signature version 2"),
        pytest.param(
            PATH_STYLE,
            {"endpoint_url": "https://s3.example.org/a b"},
            "s3.example.org",
            "X-Amz-Signature",
            id="an address that the SDK writes in another way",
        ),
    ],
)
def test_where_the_own_signer_does_not_fit_the_sdk_signs(sdk_calls, options, changes, host, mark):
    made = store(options, **changes)
    sign = made.part_signer("a key", "upload", lifetime=HOUR).sign
    sdk_calls.clear()
    urls = [sign(part) for part in (1, 2, 3)]
    assert sdk_calls == ["upload_part"] * 3
    assert [query(url)["partNumber"] for url in urls] == ["1", "2", "3"]
    assert {urlsplit(url).hostname for url in urls} == {host}
    assert all(mark in query(url) for url in urls)


def test_a_signer_that_would_differ_from_the_sdk_is_never_used(monkeypatch, sdk_calls):
    monkeypatch.setattr(s3_urls, "part_url_signer", lambda *_, **__: lambda part: f"wrong-{part}")
    assert part_url(store()).startswith("https://s3.example.org/bucket/a%20key?")
    assert sdk_calls == ["upload_part"] * 2


def test_the_order_in_which_the_sdk_writes_makes_no_difference(monkeypatch, sdk_calls):
    presign = UrlSigner._presign

    def reordered(self: UrlSigner, *arguments: Any) -> str:
        address, _, asked = presign(self, *arguments).partition("?")
        return f"{address}?{'&'.join(reversed(asked.split('&')))}"

    monkeypatch.setattr(UrlSigner, "_presign", reordered)
    made = store()
    assert "X-Amz-Signature" in query(part_url(made))
    part_url(made)
    assert sdk_calls == ["upload_part"], "once, to compare"


SIGNERS = pytest.mark.parametrize("options", [PATH_STYLE, VIRTUAL], ids=["own", "sdk"])


@SIGNERS
@pytest.mark.parametrize(
    ("wanted", "credentials", "least", "most"),
    [
        pytest.param(HOUR, None, 3600, 3600, id="as wanted"),
        pytest.param(timedelta(days=30), None, 604_800, 604_800, id="7 days at most"),
        pytest.param(HOUR, timedelta(minutes=10), 590, 600, id="no longer than the keys"),
        pytest.param(HOUR, timedelta(days=1), 3600, 3600, id="keys that outlive them"),
        pytest.param(timedelta(seconds=90.9), None, 90, 90, id="whole seconds"),
    ],
)
def test_urls_live_as_long_as_wanted_within_7_days_and_the_life_of_the_keys(
    options, wanted, credentials, least, most
):
    keys = ending_in(credentials) if credentials else Credentials("AKID", "secret")
    made = store(options, credentials=keys)
    signer = made.part_signer("key", "upload", lifetime=wanted)
    download = made.presign_download("key", lifetime=wanted)
    for seconds in (query(signer.sign(1))["X-Amz-Expires"], query(download)["X-Amz-Expires"]):
        assert least <= int(seconds) <= most
    assert least <= made.download_lifetime(wanted).total_seconds() <= most
    assert least <= signer.expires_in.total_seconds() <= most


@SIGNERS
@pytest.mark.parametrize("ended", [timedelta(0), timedelta(hours=-1), timedelta(seconds=0.5)])
def test_keys_that_have_ended_sign_nothing(options, ended):
    made = store(options, credentials=ending_in(ended))
    with pytest.raises(StoreDenied, match="have ended"):
        made.part_signer("key", "upload", lifetime=HOUR)
    with pytest.raises(StoreDenied, match="have ended"):
        made.presign_download("key", lifetime=HOUR)
    with pytest.raises(StoreDenied, match="have ended"):
        made.download_lifetime(HOUR)


@SIGNERS
def test_the_host_alone_is_signed_and_temporary_keys_send_their_token(options):
    made = store(options, credentials=ending_in(HOUR))
    for url in (part_url(made), made.presign_download("key", lifetime=HOUR)):
        assert query(url)["X-Amz-SignedHeaders"] == "host"
        assert query(url)["X-Amz-Security-Token"] == "token"


def test_urls_are_made_for_the_address_that_clients_see():
    made = store(public_endpoint_url="https://files.example.org:8443/s3")
    for url in (part_url(made), made.presign_download("key", lifetime=HOUR)):
        assert url.startswith("https://files.example.org:8443/s3/bucket/")


def test_the_bucket_of_another_tenant_is_named_with_it():
    made = store(tenant="cesnet")
    assert urlsplit(part_url(made)).path == "/cesnet%3Abucket/a%20key"
    assert urlsplit(made.presign_download("k", lifetime=HOUR)).path == "/cesnet%3Abucket/k"


@pytest.fixture
def no_keys(monkeypatch, tmp_path) -> Any:
    """A machine on which the SDK finds no keys."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return tmp_path


def test_without_any_keys_nothing_is_signed(no_keys):
    with pytest.raises(StoreDenied, match="no credentials"):
        part_url(store(credentials=None))


def test_keys_that_the_sdk_finds_are_taken(no_keys, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "FOUND")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    assert query(part_url(store(credentials=None)))["X-Amz-Credential"].startswith("FOUND/")


def test_temporary_keys_that_the_sdk_fetches_shorten_the_life_of_urls(no_keys):
    ends = datetime.now(UTC) + timedelta(minutes=30)
    answer = {
        "Version": 1,
        "AccessKeyId": "FETCHED",
        "SecretAccessKey": "secret",
        "SessionToken": "fetched-token",
        "Expiration": ends.isoformat(),
    }
    (no_keys / "answer.json").write_text(json.dumps(answer))
    process = f"{sys.executable} -c \"print(open('{no_keys}/answer.json').read())\""
    (no_keys / "config").write_text(f"[default]\ncredential_process = {process}\n")
    asked = query(part_url(store(credentials=None), timedelta(hours=2)))
    assert asked["X-Amz-Security-Token"] == "fetched-token"
    assert 1700 <= int(asked["X-Amz-Expires"]) <= 1800
