# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uppy uploads to a draft of invenio-drafts-resources, until it is published."""

from __future__ import annotations

import os

import pytest
from invenio_records_resources.proxies import current_service_registry

from examples.records.resources import make_blueprints
from examples.records.services import make_service

from ..people import http
from ..rest.uppy import PART, TOKENS, Uppy

SERVICE = "draft-example-files"


@pytest.fixture(scope="module")
def app_config(app_config):
    """Without the routes of invenio-records-rest, which are at /records, too; no UI beside it."""
    app_config.update(RECORDS_REST_ENDPOINTS={}, SITE_API_URL="http://localhost")
    return app_config


@pytest.fixture(scope="module")
def services(app):
    """The services of the example, and its routes."""
    service = make_service()
    for each in (service, service.files, service.draft_files):
        current_service_registry.register(each, each.config.service_id)
    app._got_first_request = False
    for blueprint in make_blueprints(service):
        app.register_blueprint(blueprint)
    return service


@pytest.fixture
def owner(services, location, person):
    """Somebody who makes drafts."""
    return person()


@pytest.fixture
def draft(owner):
    """A draft of theirs."""
    made = owner.post("/records", json={"metadata": {"title": "A measurement"}})
    assert made.status_code == 201, made.get_data(as_text=True)
    return made.get_json()


def ask(person, draft):
    return person.post(TOKENS, json={"draft": {"service": SERVICE, "id": draft["id"]}})


@pytest.fixture
def uppy(app, owner, draft):
    """The owner's page."""
    return Uppy(app.test_client(), ask(owner, draft).get_json()["companion_url"])


def refused(answer, status, code):
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)


def publish(owner, draft):
    answer = owner.post(draft["links"]["publish"])
    assert answer.status_code == 202, answer.get_data(as_text=True)
    return answer.get_json()


def test_a_draft_gets_its_files_and_is_published_with_them(uppy, owner, draft):
    content = os.urandom(PART + 3)
    done = uppy.upload("a b.bin", content)
    redirect = owner.get(done["location"])
    assert http.request("GET", redirect.headers["Location"]).data == content
    record = publish(owner, draft)
    [entry] = owner.get(record["links"]["files"]).get_json()["entries"]
    assert (entry["key"], entry["size"]) == ("a b.bin", len(content))


def test_a_draft_that_was_published_takes_no_more(uppy, owner, draft):
    done = uppy.create("a.bin", 3)
    parts = uppy.send(done, b"abc")
    assert uppy.complete(done, parts).status_code == 200
    publish(owner, draft)
    refused(uppy.ask("b.bin", size=3), 404, "draft_not_found")
    refused(uppy.complete(done, parts), 404, "upload_not_found")
    refused(uppy.abort(done), 404, "upload_not_found")
    refused(ask(owner, draft), 404, "draft_not_found")


def test_a_draft_that_was_deleted_takes_no_more(uppy, owner, draft):
    created = uppy.create("a.bin", 3)
    assert owner.delete(draft["links"]["self"]).status_code == 204
    refused(uppy.ask("b.bin", size=3), 404, "draft_not_found")
    refused(uppy.sign(created, 1), 404, "upload_not_found")


def test_only_its_owner_gets_a_token(owner, draft, person):
    refused(ask(person(), draft), 404, "draft_not_found")
    assert ask(owner, draft).status_code == 201
