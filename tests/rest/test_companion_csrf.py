# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Companion's routes need no CSRF token, which Uppy does not send; to get an upload token one is
needed. Pages of another origin may use them where the instance allows them to call its API."""

from __future__ import annotations

import pytest

from oarepo_s3.models import UploadToken

from ..people import path
from .uppy import TOKENS, Uppy


@pytest.fixture(scope="module")
def app_config(app_config, place):
    """CSRF protection on, as in a real instance, and pages of other origins let in."""
    app_config.update(REST_CSRF_ENABLED=True, REST_ENABLE_CORS=True)
    return app_config


def issue_with_csrf(person, bucket):
    """Get a token as a page of the instance does."""
    body = {"bucket": str(bucket.id)}
    assert person.post(TOKENS, json=body).status_code == 400
    csrf = person.client.get_cookie("csrftoken").value
    answer = person.post(TOKENS, json=body, headers={"X-CSRFToken": csrf})
    assert answer.status_code == 201
    return answer.get_json()


pytestmark = pytest.mark.parametrize("place", ["local"], indirect=True)


def test_a_token_is_not_issued_or_revoked_without_csrf_token(uploader, bucket):
    refused = uploader.post(TOKENS, json={"bucket": str(bucket.id)})
    assert (refused.status_code, "CSRF" in refused.get_data(as_text=True)) == (400, True)
    assert UploadToken.query.filter_by(bucket_id=bucket.id).count() == 0
    issued = issue_with_csrf(uploader, bucket)
    assert uploader.delete(issued["links"]["self"]).status_code == 400
    assert UploadToken.query.filter_by(bucket_id=bucket.id).one().revoked_at is None


def test_a_page_of_the_instance_with_its_cookies(uploader, bucket):
    page = Uppy(uploader.client, issue_with_csrf(uploader, bucket)["companion_url"])
    assert {cookie.key for cookie in uploader.client._cookies.values()} >= {"session", "csrftoken"}
    assert page.upload("a", b"abc")["key"] == "a"
    assert page.abort(page.create("b", 3)).status_code == 200


def test_all_other_calls_still_need_it(uploader, bucket):
    page = Uppy(uploader.client, issue_with_csrf(uploader, bucket)["companion_url"])
    created = page.create("a", 3)
    assert uploader.delete(f"/multipart-uploads/{created['uploadId']}").status_code == 400
    assert uploader.post(f"/multipart-uploads/{created['uploadId']}/complete").status_code == 400
    assert page.sign(created, 1).status_code == 200


def test_a_page_of_another_origin(app, uploader, bucket):
    endpoint = path(issue_with_csrf(uploader, bucket)["companion_url"])
    client = app.test_client()
    origin = {"Origin": "https://elsewhere.example.org"}
    preflight = client.options(
        f"{endpoint}/s3/multipart",
        headers={
            **origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "content-type",
        },
    )
    assert preflight.status_code == 200
    assert preflight.headers["Access-Control-Allow-Origin"] == "*"
    assert preflight.headers["Access-Control-Allow-Headers"] == "content-type"
    assert "POST" in preflight.headers["Access-Control-Allow-Methods"]
    body = {"filename": "a", "type": "", "metadata": {"size": 3}}
    created = client.post(f"{endpoint}/s3/multipart", json=body, headers=origin)
    assert created.status_code == 200
    assert created.headers["Access-Control-Allow-Origin"] == "*"
