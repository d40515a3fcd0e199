# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The OpenAPI document is valid, and says what the code says and what the application answers."""

from __future__ import annotations

import copy
import json
import re
import uuid

import pytest
from flask.views import MethodView
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.exceptions import TooManyRequests

from oarepo_s3 import __version__
from oarepo_s3.views.openapi import written_document

from ..conftest import LOCAL
from ..docs.pages import DOCS
from ..people import Person, send_parts
from ..unit.test_errors import example
from .contract import SHOWN, Contract, disagreements

ADDRESS = "/multipart-uploads/openapi.json"


@pytest.fixture(scope="module", params=[LOCAL])
def place(request) -> str:
    """One place: the document is the same at all."""
    return request.param


def test_the_document_is_valid(document):
    OpenAPIV31SpecValidator(json.loads(written_document())).validate()
    OpenAPIV31SpecValidator(document).validate()


def test_the_document_says_what_the_code_says(app, document):
    assert list(disagreements(document, app)) == []


def test_nobody_has_to_log_in_to_read_it_and_no_upload_hides_it(app, uploader):
    for person in (Person(app), uploader):
        answer = person.get(ADDRESS)
        assert (answer.status_code, answer.mimetype) == (200, "application/json")


def test_it_names_the_instance_that_serves_it(app, monkeypatch):
    monkeypatch.setitem(app.config, "FILES_REST_OBJECT_KEY_MAX_LEN", 99)
    monkeypatch.setitem(app.config, "OAREPO_S3_URL_PREFIX", "/s3/uploads")
    monkeypatch.setitem(app.config, "SESSION_COOKIE_NAME", "biscuit")
    monkeypatch.setitem(app.config, "OAREPO_S3_MAX_FILE_SIZE", 7)
    monkeypatch.setitem(app.config, "OAREPO_S3_MAX_PARTS", 8)
    answer = app.test_client().get(ADDRESS, base_url="https://repo.example.org/api")
    document = answer.get_json()
    assert document["servers"] == [{"url": "https://repo.example.org/api"}]
    assert document["info"]["version"] == __version__
    assert {path.rpartition("/{")[0] or path for path in document["paths"]} >= {"/s3/uploads"}
    assert all(path.startswith("/s3/uploads") for path in document["paths"])
    components = document["components"]
    assert components["securitySchemes"]["session"]["name"] == "biscuit"
    assert components["schemas"]["NewUpload"]["properties"]["key"]["maxLength"] == 99
    assert components["schemas"]["NewUpload"]["properties"]["size"]["maximum"] == 7
    assert components["schemas"]["Claim"]["properties"]["PartNumber"]["maximum"] == 8


def test_the_limits_are_those_that_hold(uploader, bucket, contract):
    new = contract.schemas["NewUpload"]["properties"]
    for field, most, beyond in (
        ("key", "k" * new["key"]["maxLength"], "invalid_key"),
        ("size", new["size"]["maximum"], "invalid_size"),
    ):
        body = {"bucket": str(bucket.id), "key": "a", "size": 1}
        assert uploader.post("/multipart-uploads", json={**body, field: most}).status_code == 201
        more = most + ("k" if field == "key" else 1)
        refused = uploader.post("/multipart-uploads", json={**body, field: more})
        assert (refused.status_code, refused.get_json()["code"]) == (400, beyond)


def test_the_page_of_the_reference_names_the_same_codes(contract):
    """The common ones stand in its introduction, the others below the heading of the call."""
    page = (DOCS / "reference" / "rest.md").read_text()
    page = re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL)
    intro, *sections = re.split(r"^## ", page, flags=re.MULTILINE)
    named = {}
    for section in (f"intro\n{intro}", *sections):
        heading, _, text = section.partition("\n")
        named[heading] = set(re.findall(r"\b[a-z_]+\b", " ".join(re.findall(r"`([^`]+)`", text))))
    common = named["intro"] & SHOWN.keys()
    for name, (_, _, operation) in contract.operations.items():
        codes = {code for _, code in contract.codes_of(operation)}
        assert codes - common == named[operation["summary"]] & SHOWN.keys() - common, name


def rename_a_field(document):
    session = document["components"]["schemas"]["Session"]
    session["properties"]["parts_number"] = session["properties"].pop("num_parts")
    session["required"] = [
        name if name != "num_parts" else "parts_number" for name in session["required"]
    ]


def rename_an_optional_field(document):
    session = document["components"]["schemas"]["Session"]["properties"]
    session["document"] = session.pop("file")


def drop_a_status(document):
    del document["paths"]["/multipart-uploads/{upload_id}/complete"]["post"]["responses"]["400"]


def forbid_null(document):
    document["components"]["schemas"]["Session"]["properties"]["content_type"]["type"] = "string"


def drop_a_header(document):
    del document["paths"]["/multipart-uploads"]["post"]["responses"]["201"]["headers"]["Location"]


def drop_a_code(document):
    responses = document["paths"]["/multipart-uploads/{upload_id}/complete"]["post"]["responses"]
    error = responses["400"]["content"]["application/json"]["schema"]["anyOf"][0]["allOf"][1]
    error["properties"]["code"]["enum"].remove("missing_parts")


@pytest.mark.parametrize(
    "mistake",
    [rename_a_field, rename_an_optional_field, drop_a_status, forbid_null, drop_a_header,
     drop_a_code],
)  # fmt: skip
def test_a_mistake_about_answers_is_noticed(app, uploader, bucket, document, mistake):
    wrong = copy.deepcopy(document)
    mistake(wrong)
    contract = Contract(wrong)

    def flow():
        body = {"bucket": str(bucket.id), "key": "a", "size": 3}
        answer = uploader.post("/multipart-uploads", json=body)
        contract.check(answer)
        contract.check(uploader.complete(answer.get_json()))
        send_parts(answer.get_json(), b"abc")
        contract.check(uploader.complete(answer.get_json()))

    with pytest.raises(AssertionError):
        flow()


def add_a_code(document):
    allowed = document["components"]["responses"]["Forbidden"]["content"]["application/json"]
    allowed["schema"]["allOf"][1]["properties"]["code"]["enum"].append("no_luck")


def give_a_code_another_status(document):
    responses = document["components"]["responses"]
    responses["Forbidden"]["content"] = responses["UploadNotFound"]["content"]


def drop_a_path(document):
    del document["paths"]["/multipart-uploads/{upload_id}/parts"]


def drop_a_method(document):
    del document["paths"]["/multipart-uploads/{upload_id}"]["delete"]


def rename_a_request_field(document):
    new = document["components"]["schemas"]["NewUpload"]["properties"]
    new["mime_type"] = new.pop("content_type")


def open_the_request(document):
    del document["components"]["schemas"]["NewUpload"]["additionalProperties"]


def loosen_a_pattern(document):
    document["components"]["schemas"]["NewUpload"]["properties"]["checksum"]["pattern"] = "^.*$"


def drop_a_state(document):
    document["components"]["schemas"]["State"]["enum"].remove("expired")


def move_a_limit(document):
    document["paths"]["/multipart-uploads"]["get"]["parameters"][2]["schema"]["maximum"] += 1


def forget_to_wait(document):
    del document["components"]["responses"]["Unavailable"]["headers"]


@pytest.mark.parametrize(
    "mistake",
    [add_a_code, give_a_code_another_status, drop_a_path, drop_a_method, rename_a_request_field,
     open_the_request, loosen_a_pattern, drop_a_state, move_a_limit, forget_to_wait],
)  # fmt: skip
def test_a_mistake_about_the_code_is_noticed(app, document, mistake):
    wrong = copy.deepcopy(document)
    mistake(wrong)
    assert list(disagreements(wrong, app)) != []


def test_every_refusal_that_the_document_names_has_the_form_that_it_names(
    app, uploader, bucket, contract, monkeypatch
):
    """Also those that a store or a database has to be broken for; see test_outages for these."""
    error = None

    def refuse(self, **kwargs):
        raise error

    uploader.get(ADDRESS)
    monkeypatch.setattr(MethodView, "dispatch_request", refuse)
    for path, method, operation in contract.operations.values():
        address = path.replace("{upload_id}", str(uuid.uuid4()))
        refusals = [(status, example(SHOWN[code])) for status, code in contract.codes_of(operation)]
        for status, error in [*refusals, (429, TooManyRequests())]:  # noqa: B007
            answer = uploader.client.open(address, method=method.upper())
            assert answer.status_code == status
    assert {code for _, _, code in contract.seen} - {None} == set(SHOWN)
