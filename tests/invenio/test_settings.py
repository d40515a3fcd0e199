# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Settings and the extension itself."""

from __future__ import annotations

import pytest
from flask import Flask
from invenio_s3 import InvenioS3

from oarepo_s3 import OARepoS3, config
from oarepo_s3.core.uris import ObjectURI


def make(**settings):
    """A bare application with both extensions."""
    app = Flask("settings-test")
    app.config.update(settings)
    InvenioS3(app)
    OARepoS3(app)
    return app


def connection(app):
    """How the application reaches its store."""
    with app.app_context():
        return app.extensions["oarepo-s3"].store_config(ObjectURI("s3", "b", ""))


NAMES = {
    "INVENIO_S3_ENDPOINT_URL": ("https://s3.example.org", lambda c: c.endpoint_url),
    "INVENIO_S3_ACCESS_KEY_ID": ("the-key", lambda c: c.credentials.access_key),
    "INVENIO_S3_SECRET_ACCESS_KEY": ("the-secret", lambda c: c.credentials.secret_key),
    "INVENIO_S3_TENANT": ("cesnet", lambda c: c.tenant),
}


def test_the_invenio_names_work_in_the_configuration_file():
    app = make(**{name: value for name, (value, _) in NAMES.items()})
    found = connection(app)
    assert {name: read(found) for name, (_, read) in NAMES.items()} == {
        name: value for name, (value, _) in NAMES.items()
    }


def test_the_invenio_names_work_in_the_environment_and_win(monkeypatch):
    for name, (value, _) in NAMES.items():
        monkeypatch.setenv(name, value)
    app = make(**dict.fromkeys(NAMES, "from-the-file"), S3_ENDPOINT_URL="https://other")
    found = connection(app)
    assert [read(found) for _, read in NAMES.values()] == [value for value, _ in NAMES.values()]


def test_the_names_of_invenio_s3_stay_what_they_are():
    app = make(S3_ENDPOINT_URL="https://s3", S3_ACCESS_KEY_ID="k", S3_SECRET_ACCESS_KEY="s")
    found = connection(app)
    assert (found.endpoint_url, found.credentials.access_key, found.tenant) == (
        "https://s3",
        "k",
        None,
    )


def test_without_keys_the_sdk_finds_them():
    assert connection(make()).credentials is None


def test_every_setting_has_a_default_in_the_application():
    app = make(OAREPO_S3_PART_SIZE=7 * 2**20)
    names = [name for name in vars(config) if name.startswith("OAREPO_S3_")]
    assert names
    for name in names:
        assert name in app.config
    assert app.config["OAREPO_S3_PART_SIZE"] == 7 * 2**20


def test_time_outs_retries_and_pool_reach_the_client():
    app = make(
        S3_ENDPOINT_URL="http://127.0.0.1:1",
        S3_ACCESS_KEY_ID="k",
        S3_SECRET_ACCESS_KEY="s",
        S3_REGION_NAME="cz",
        OAREPO_S3_CONNECT_TIMEOUT=1,
        OAREPO_S3_READ_TIMEOUT=2,
        OAREPO_S3_MAX_ATTEMPTS=4,
        OAREPO_S3_POOL_SIZE=7,
        S3_CONFIG_EXTRA={"user_agent_extra": "here"},
    )
    with app.app_context():
        client = app.extensions["oarepo-s3"].store("s3://b/key")._client
    options = client.meta.config
    assert (options.connect_timeout, options.read_timeout) == (1, 2)
    assert options.retries["total_max_attempts"] == 4
    assert options.max_pool_connections == 7
    assert options.signature_version == "s3v4"
    assert options.request_checksum_calculation == "when_required"
    assert options.response_checksum_validation == "when_required"
    assert (client.meta.region_name, options.user_agent_extra) == ("cz", "here")


def test_a_location_has_one_client_for_all_requests():
    app = make(S3_ENDPOINT_URL="http://127.0.0.1:1", S3_ACCESS_KEY_ID="k", S3_SECRET_ACCESS_KEY="s")
    with app.app_context():
        stores = app.extensions["oarepo-s3"]
        assert stores.store("s3://b/one") is stores.store("s3://b/two")
        assert stores.store("s3://b/one") is not stores.store("s3://c/one")


def test_a_public_endpoint_is_what_clients_get():
    from datetime import timedelta

    app = make(
        S3_ENDPOINT_URL="http://10.0.0.1:8080",
        S3_ACCESS_KEY_ID="k",
        S3_SECRET_ACCESS_KEY="s",
        OAREPO_S3_PUBLIC_ENDPOINT_URL="https://s3.example.org",
    )
    with app.app_context():
        store = app.extensions["oarepo-s3"].store("s3://b/key")
    url = store.part_signer("key", "id", lifetime=timedelta(hours=1)).sign(1)
    assert url.startswith("https://s3.example.org/b/key?")
    assert store.presign_download("key", lifetime=timedelta(1)).startswith(
        "https://s3.example.org/b/key?"
    )
    assert store._client.meta.endpoint_url == "http://10.0.0.1:8080"


def test_a_second_registration_says_what_to_do():
    app = make()
    with pytest.raises(RuntimeError, match="remove the second call"):
        OARepoS3(app)
