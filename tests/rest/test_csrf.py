# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Sessions of browsers need Invenio's CSRF token, as for any other of its endpoints."""

from __future__ import annotations

import pytest
from invenio_files_rest.models import Bucket


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """CSRF protection on, as in a real instance."""
    app_config["REST_CSRF_ENABLED"] = True
    return app_config


@pytest.mark.parametrize("place", ["local"], indirect=True)
def test_a_session_without_the_token_cannot_begin_an_upload(uploader, bucket):
    body = {"bucket": str(bucket.id), "key": "a", "size": 1}

    refused = uploader.post("/multipart-uploads", json=body)

    assert refused.status_code == 400
    assert "CSRF" in refused.get_data(as_text=True)
    assert Bucket.get(bucket.id).size == 0
    token = uploader.client.get_cookie("csrftoken").value
    accepted = uploader.post("/multipart-uploads", json=body, headers={"X-CSRFToken": token})
    assert accepted.status_code == 201
    session = accepted.get_json()["links"]["self"]
    assert uploader.delete(session).status_code == 400
    assert uploader.get(session).get_json()["state"] == "pending"
