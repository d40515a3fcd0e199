# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Documents of a bucket pass their schema, and are filled in as they should be."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import botocore.session
import pytest
from botocore.parsers import create_parser
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator

from oarepo_s3.core.errors import InvalidRequest
from oarepo_s3.provisioning import documents
from oarepo_s3.provisioning.buckets import PRIVATE

ORIGINS = ["https://repo.example.org", "http://localhost:5000"]
EXAMPLES = Path(__file__).parents[2] / "docs/examples"
CALLS = {
    "cors": ("PutBucketCors", "CORSConfiguration"),
    "lifecycle": ("PutBucketLifecycleConfiguration", "LifecycleConfiguration"),
    "public_access_block": ("PutPublicAccessBlock", "PublicAccessBlockConfiguration"),
}
DOCUMENTS = {
    "cors": documents.cors(ORIGINS),
    "lifecycle": documents.lifecycle("", 7),
    "lifecycle of a prefix": documents.lifecycle("some/where/", 30),
    "public_access_block": PRIVATE,
}


@pytest.fixture(scope="module")
def s3_model() -> Any:
    """The S3 API as the SDK describes it."""
    return botocore.session.Session().get_service_model("s3")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_what_the_call_of_the_api_takes(s3_model, name):
    operation, member = CALLS[name.partition(" ")[0]]
    shape = s3_model.operation_model(operation).input_shape
    given = {"Bucket": "repo", member: DOCUMENTS[name]}
    report = ParamValidator().validate(given, shape)
    assert not report.has_errors(), report.generate_report()


@pytest.mark.parametrize("origins", [ORIGINS, ORIGINS[:1]])
def test_cors_as_xml_is_what_the_sdk_itself_would_send(s3_model, origins):
    document = documents.cors(origins)
    operation = s3_model.operation_model("PutBucketCors")
    sent = create_serializer("rest-xml").serialize_to_request(
        {"Bucket": "repo", "CORSConfiguration": document}, operation
    )
    assert in_parts(documents.cors_xml(document)) == in_parts(sent["body"])


def test_cors_as_xml_is_read_as_the_same_document(s3_model):
    document = documents.cors(ORIGINS)
    answer = {"status_code": 200, "headers": {}, "body": documents.cors_xml(document).encode()}
    shape = s3_model.operation_model("GetBucketCors").output_shape
    read = create_parser("rest-xml").parse(answer, shape)
    assert read["CORSRules"] == document["CORSRules"]


def in_parts(xml: str | bytes) -> list[tuple[str, str]]:
    """Return names, with their namespace, and texts."""
    return sorted(
        (each.tag, (each.text or "").strip()) for each in ElementTree.fromstring(xml).iter()
    )


def test_the_examples_of_the_documentation_are_what_is_printed():
    written = json.loads((EXAMPLES / "cors.json").read_text())
    assert written == documents.cors(["https://repo.example.org"])
    written = json.loads((EXAMPLES / "lifecycle.json").read_text())
    assert written == documents.lifecycle("", 7)


def test_what_is_no_origin_is_refused():
    with pytest.raises(InvalidRequest, match="is no origin"):
        documents.cors(["https://repo.example.org/path"])


def test_origins_stand_in_the_rule_as_browsers_send_them():
    (rule,) = documents.cors(["https://příklad.cz", "https://xn--pklad-zsa96e.cz/"])["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://xn--pklad-zsa96e.cz"]


def test_a_slash_behind_an_origin_is_left_out():
    (rule,) = documents.cors(["https://repo.example.org:8443/"])["CORSRules"]
    assert rule["AllowedOrigins"] == ["https://repo.example.org:8443"]


def test_a_rule_for_nobody_is_refused():
    with pytest.raises(InvalidRequest, match="no origin"):
        documents.cors([])


@pytest.mark.parametrize(
    ("lifetime", "days"),
    [
        (timedelta(hours=1), 7),
        (timedelta(days=6), 7),
        (timedelta(days=6, seconds=1), 7),
        (timedelta(days=7), 8),
        (timedelta(days=30, hours=1), 31),
    ],
)
def test_the_store_forgets_after_the_upload_has_expired(lifetime, days):
    assert documents.least_days(lifetime) == days
    assert timedelta(days=days) > lifetime
