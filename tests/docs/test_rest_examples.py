# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The JSON in the reference of the REST API is what the application takes and gives."""

from __future__ import annotations

from typing import Any

import pytest

from tests.people import Person, put

from .pages import DOCS, example

COMMANDS = {"cors", "lifecycle"}
"""Examples for the store's own tools."""

KEYS = {"scope-keys", "scope-keys-request", "upload-keys"}
"""Examples that need a store with STS: see ``credentials`` below ``rest``."""


def shape(value: Any) -> Any:
    """Return names and types of a JSON value, without its values and lengths of lists."""
    if isinstance(value, dict):
        return {name: shape(inner) for name, inner in value.items()}
    if isinstance(value, list):
        shapes = [shape(inner) for inner in value]
        assert all(other == shapes[0] for other in shapes)
        return shapes[:1]
    return type(value).__name__


def flow(uploader: Person, bucket: Any) -> dict[str, Any]:
    """Upload the file of the examples; return each request and answer by its example's name."""
    begin = {**example("create-request"), "bucket": str(bucket.id)}
    content = bytes(begin["size"])
    seen = {"create-request": begin}

    def answer(name: str, status: int, response: Any) -> dict[str, Any]:
        assert response.status_code == status, response.get_data(as_text=True)
        seen[name] = response.get_json()
        return seen[name]

    created = uploader.post("/multipart-uploads", json=begin)
    links = answer("created", 201, created)["links"]
    assert created.headers["Location"] == links["self"]
    answer("session", 200, uploader.get(links["self"]))
    urls = uploader.get(f"{links['urls']}?parts=2-3")
    assert urls.headers["Cache-Control"] == "no-store"
    answer("urls", 200, urls)

    size = seen["created"]["part_size"]
    for item in seen["created"]["urls"]:
        start = (item["part"] - 1) * size
        put(item["url"], content[start : start + size])
        if item["part"] == 1:
            answer("error-missing-parts", 400, uploader.post(links["complete"]))
    parts = answer("parts", 200, uploader.get(links["parts"]))["parts"]
    claims = {"parts": [{"PartNumber": p["part"], "ETag": p["etag"]} for p in parts]}
    seen["complete-request"] = claims
    answer("completed", 200, uploader.post(links["complete"], json=claims))
    answer("list", 200, uploader.get("/multipart-uploads"))
    seen["token-request"] = {**example("token-request"), "bucket": str(bucket.id)}
    issued = uploader.post("/multipart-uploads/tokens", json=seen["token-request"])
    answer("token", 201, issued)
    wrong = uploader.post("/multipart-uploads", json={"bucket": "x", "size": 1})
    answer("error-invalid-request", 400, wrong)
    return seen


def test_the_examples_have_the_form_of_what_is_real(uploader, bucket):
    seen = flow(uploader, bucket)
    assert set(seen) | COMMANDS | KEYS == {path.stem for path in DOCS.glob("examples/*.json")}
    wrong = {
        name: (shape(example(name)), shape(real))
        for name, real in seen.items()
        if shape(example(name)) != shape(real)
    }
    assert wrong == {}


def test_the_examples_agree_with_each_other(uploader, bucket):
    seen = flow(uploader, bucket)
    for name in ("created", "session", "completed"):
        for field in ("key", "size", "part_size", "num_parts", "content_type", "state"):
            assert example(name)[field] == seen[name][field], f"{field} of {name}"
    for name in ("error-missing-parts", "error-invalid-request"):
        assert example(name) == seen[name]
    sizes = [part["size"] for part in example("parts")["parts"]]
    assert sizes == [part["size"] for part in seen["parts"]["parts"]]


@pytest.mark.ceph
def test_the_rules_for_the_bucket_are_taken_by_a_store(ceph_store):
    client = ceph_store.client()
    client.create_bucket(Bucket="docs-rules")
    client.put_bucket_cors(Bucket="docs-rules", CORSConfiguration=example("cors"))
    client.put_bucket_lifecycle_configuration(
        Bucket="docs-rules", LifecycleConfiguration=example("lifecycle")
    )
    rule = client.get_bucket_cors(Bucket="docs-rules")["CORSRules"][0]
    assert "ETag" in rule["ExposeHeaders"]
    rules = client.get_bucket_lifecycle_configuration(Bucket="docs-rules")["Rules"]
    aborts = [rule.get("AbortIncompleteMultipartUpload") for rule in rules]
    assert {"DaysAfterInitiation": 7} in aborts
