# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The OpenAPI document against the code, and answers against the document."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator
from marshmallow import fields, validate

from oarepo_s3.core.states import UploadState
from oarepo_s3.views import companion_schemas, credentials, schemas

from ..unit.test_errors import CATALOGUE

METHODS = {"get", "put", "post", "delete", "patch"}
INTERNAL = {
    "store_parts_rejected",
    "store_upload_gone",
    "invalid_scope",
    "scope_taken",
}
"""Codes that no client gets: complete makes ``parts_rejected`` of the first two, and scopes are
the operator's."""

SHOWN = {
    cls.code: cls for cls in CATALOGUE if not cls.__subclasses__() and cls.code not in INTERNAL
}
"""The errors that clients get, by code."""

BODIES = {
    "NewUpload": schemas.CreateSchema,
    "Claims": schemas.CompleteSchema,
    "Claim": schemas.PartSchema,
    "NewToken": companion_schemas.TokenSchema,
    "Draft": companion_schemas.DraftSchema,
    "NewCompanionUpload": companion_schemas.CompanionSchema,
    "CompanionMetadata": companion_schemas.CompanionMetadataSchema,
    "KeysWish": credentials.KeysSchema,
    "ScopeWish": credentials.ScopeKeysSchema,
}
QUERIES = {"listUploads": schemas.ListSchema, "listParts": schemas.PartsQuerySchema}

_TYPES = {
    fields.UUID: {"type": "string", "format": "uuid"},
    fields.String: {"type": "string"},
    schemas.StrictInteger: {"type": "integer"},
    companion_schemas.EitherInteger: {"type": ["integer", "string"]},
    fields.Integer: {"type": "integer"},
    fields.Nested: {"type": "object"},
    fields.List: {"type": "array"},
    fields.Enum: {"type": "string", "enum": list(UploadState)},
}


class Contract:
    """An OpenAPI document, its references filled in, its objects closed to unknown fields.

    To clients the objects are open, so that fields can be added. Here a field that the document
    does not have is a mistake of the document.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self.paths = self._fill(document["paths"])
        self.schemas = self._fill(document["components"]["schemas"])
        self.seen: Counter[tuple[str, int, str | None]] = Counter()
        """How often an operation gave a status and a code."""

    @property
    def operations(self) -> dict[str, tuple[str, str, dict[str, Any]]]:
        """Path, method and description by operation."""
        return {
            item[method]["operationId"]: (path, method, item[method])
            for path, item in self.paths.items()
            for method in METHODS & item.keys()
        }

    def operation_of(self, method: str, path: str) -> dict[str, Any]:
        """Return what the document says of a request; a path as it is goes before a template."""
        for template in sorted(self.paths, key=lambda path: path.count("{")):
            if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path):
                assert method.lower() in self.paths[template], f"no {method} {template}"
                return self.paths[template][method.lower()]
        raise AssertionError(f"the document has no {path}")

    def check(self, answer: Any) -> Any:
        """Compare an answer with the document; return its JSON."""
        operation = self.operation_of(answer.request.method, answer.request.path)
        name, status = operation["operationId"], answer.status_code
        assert str(status) in operation["responses"], f"{name} does not have {status}"
        expected = operation["responses"][str(status)]
        self._check_headers(expected.get("headers", {}), answer.headers)
        if "content" not in expected:
            assert answer.data == b""
            body = None
        else:
            assert answer.mimetype in expected["content"]
            body = answer.get_json() if answer.is_json else answer.text
            problems = sorted(
                f"{error.json_path}: {error.message}"
                for error in _validator(expected["content"][answer.mimetype]["schema"])(body)
            )
            assert problems == [], f"{name} {status}"
        code = body.get("code") if isinstance(body, dict) else None
        self.seen[name, status, code] += 1
        return body

    def codes_of(self, operation: dict[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield what an operation can be refused with."""
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                yield from ((int(status), code) for code in _codes(media["schema"]))

    def _fill(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self._fill(inner) for inner in node]
        if not isinstance(node, dict):
            return node
        if "$ref" in node:
            target: Any = self._document
            for name in node["$ref"].removeprefix("#/").split("/"):
                target = target[name]
            return self._fill(target)
        return {name: self._fill(inner) for name, inner in node.items()}

    def _check_headers(self, expected: dict[str, Any], headers: Any) -> None:
        for name, header in expected.items():
            assert name in headers or not header.get("required"), f"no {name}"
            if name in headers:
                is_number = header["schema"]["type"] == "integer"
                value = int(headers[name]) if is_number else headers[name]
                assert [*_validator(header["schema"])(value)] == []
        for name in ("Location", "Retry-After"):
            assert name not in headers or name in expected, f"the document has no {name}"


def disagreements(document: dict[str, Any], app: Any) -> Iterator[str]:
    """Yield where the document and the code do not say the same."""
    contract = Contract(document)
    prefix = app.config["OAREPO_S3_URL_PREFIX"]
    documented = {(method, path) for path, method, _ in contract.operations.values()}
    yield from _compare("paths", documented, set(_routes(app.url_map, prefix)))
    yield from _compare("states", contract.schemas["State"]["enum"], list(UploadState))
    yield from _compare("codes", *_both_codes(contract))
    for name, (_, _, operation) in contract.operations.items():
        for status, code in contract.codes_of(operation):
            if code in SHOWN:
                yield from _compare(f"{name}: {code}", status, SHOWN[code].status)
        for status, response in operation["responses"].items():
            waits = any(SHOWN[c].retry_after for s, c in contract.codes_of(operation)
                        if str(s) == status and c in SHOWN)  # fmt: skip
            required = response.get("headers", {}).get("Retry-After", {}).get("required", False)
            yield from _compare(f"{name} {status}: Retry-After", required, waits)
    for name, schema in BODIES.items():
        described = contract.schemas[name]
        yield from _compare_fields(
            name, described["properties"], described.get("required", []), schema()
        )
        is_closed = described.get("additionalProperties") is False
        yield from _compare(f"{name}: closed", is_closed, schema.Meta.unknown == "raise")
    for name in QUERIES.keys() & contract.operations.keys():
        query = {
            parameter["name"]: parameter
            for parameter in contract.operations[name][2]["parameters"]
            if parameter["in"] == "query"
        }
        required = [found for found, parameter in query.items() if parameter.get("required")]
        described = {found: parameter["schema"] for found, parameter in query.items()}
        yield from _compare_fields(name, described, required, QUERIES[name]())


def _routes(url_map: Any, prefix: str) -> Iterator[tuple[str, str]]:
    for rule in url_map.iter_rules():
        if rule.rule == prefix or rule.rule.startswith(f"{prefix}/"):
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            yield from ((method.lower(), path) for method in rule.methods - {"HEAD", "OPTIONS"})


def _both_codes(contract: Contract) -> tuple[set[str], set[str]]:
    documented = {
        code
        for _, _, operation in contract.operations.values()
        for _, code in contract.codes_of(operation)
    }
    return documented, set(SHOWN)


def _compare_fields(
    where: str, described: dict[str, Any], required: list[str], schema: Any
) -> Iterator[str]:
    named = {field.data_key or name: field for name, field in schema.fields.items()}
    yield from _compare(where, set(described), set(named))
    needed = {name for name, field in named.items() if field.required}
    yield from _compare(f"{where}: required", set(required), needed)
    for name in described.keys() & named.keys():
        wanted = _schema_of(named[name], nullable=where in BODIES)
        found = {key: described[name].get(key) for key in wanted}
        yield from _compare(f"{where}.{name}", found, wanted)


def _schema_of(field: Any, *, nullable: bool) -> dict[str, Any]:
    """Write what marshmallow demands of a field as JSON schema does."""
    wanted: dict[str, Any] = dict(_TYPES[type(field)])
    if field.allow_none and nullable:
        wanted["type"] = [wanted["type"], "null"]
    if isinstance(field.load_default, int):
        wanted["default"] = field.load_default
    for rule in field.validators:
        if isinstance(rule, validate.Regexp):
            wanted["pattern"] = "^" + rule.regex.pattern.removesuffix(r"\Z") + "$"
        else:
            names = ("minLength", "maxLength") if isinstance(rule, validate.Length) else (
                "minimum", "maximum")  # fmt: skip
            limits = dict(zip(names, (rule.min, rule.max), strict=True))
            wanted |= {name: limit for name, limit in limits.items() if limit is not None}
    return wanted


def _compare(what: str, document: Any, code: Any) -> Iterator[str]:
    if document != code:
        yield f"{what}: the document has {document}, the code {code}"


def _codes(schema: Any) -> Iterator[str]:
    if isinstance(schema, list):
        for inner in schema:
            yield from _codes(inner)
    elif isinstance(schema, dict):
        yield from schema.get("properties", {}).get("code", {}).get("enum", ())
        yield from _codes([*schema.get("allOf", ()), *schema.get("anyOf", ())])


def _validator(schema: dict[str, Any]) -> Any:
    checker = Draft202012Validator.FORMAT_CHECKER
    return Draft202012Validator(_close(schema), format_checker=checker).iter_errors


def _close(schema: dict[str, Any], *, inner: bool = False) -> dict[str, Any]:
    """Refuse the fields of objects that the schema does not name."""
    closed = dict(schema)
    for name in ("allOf", "anyOf"):
        if name in schema:
            closed[name] = [_close(part, inner=name == "allOf") for part in schema[name]]
    if "properties" in schema:
        closed["properties"] = {name: _close(part) for name, part in schema["properties"].items()}
    if "items" in schema:
        closed["items"] = _close(schema["items"])
    if not inner and {"properties", "allOf"} & schema.keys():
        closed["unevaluatedProperties"] = False
    return closed
