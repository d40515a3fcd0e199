# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The catalogue of errors: codes and statuses are a promise, the sentences have to help."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import oarepo_s3
from oarepo_s3.core import errors
from oarepo_s3.core.errors import UploadError

PROMISED = {
    "upload_error": 500,
    "input_error": 400,
    "invalid_request": 400,
    "invalid_key": 400,
    "invalid_size": 400,
    "quota_exceeded": 400,
    "file_too_large": 400,
    "part_out_of_range": 400,
    "too_many_parts": 400,
    "missing_parts": 400,
    "part_size_mismatch": 400,
    "etag_mismatch": 400,
    "parts_rejected": 400,
    "form_not_possible": 400,
    "invalid_scope": 400,
    "access_error": 403,
    "not_authenticated": 401,
    "token_not_valid": 401,
    "forbidden": 403,
    "bucket_locked": 403,
    "not_found": 404,
    "bucket_not_found": 404,
    "draft_not_found": 404,
    "scope_not_found": 404,
    "metrics_not_served": 404,
    "token_not_found": 404,
    "upload_not_found": 404,
    "state_conflict": 409,
    "upload_not_pending": 409,
    "upload_lost": 409,
    "checksum_mismatch": 409,
    "scope_taken": 409,
    "no_upload_role": 409,
    "keys_not_possible": 409,
    "no_scope": 409,
    "upload_expired": 410,
    "invalid_location": 500,
    "store_error": 502,
    "database_unavailable": 503,
    "still_copying": 503,
    "store_unavailable": 503,
    "store_denied": 502,
    "store_misconfigured": 502,
    "store_fault": 502,
    "store_upload_gone": 409,
    "store_parts_rejected": 400,
    "store_precondition_failed": 409,
}


def family(cls: type[UploadError]) -> list[type[UploadError]]:
    return [cls, *(found for child in cls.__subclasses__() for found in family(child))]


CATALOGUE = [cls for cls in family(UploadError) if cls.__module__.startswith(errors.__name__)]
every_error = pytest.mark.parametrize("cls", CATALOGUE, ids=lambda cls: cls.__name__)


def mentioned(cls: type[UploadError]) -> set[str]:
    """What the sentence of an error mentions."""
    return {name for _, name, _, _ in Formatter().parse(cls.message) if name}


def example(cls: type[UploadError]) -> UploadError:
    return cls(**dict.fromkeys(mentioned(cls), "so it is."))


def test_codes_and_statuses_are_those_that_clients_were_promised():
    assert {cls.code: cls.status for cls in CATALOGUE} == PROMISED


def test_every_error_has_a_code_of_its_own():
    assert len({cls.code for cls in CATALOGUE}) == len(CATALOGUE)
    for cls in CATALOGUE:
        words = re.findall(r"[A-Z]+[a-z]*?(?=[A-Z][a-z]|\Z)|[A-Z][a-z]+", cls.__name__)
        assert cls.code == "_".join(words).lower()


@every_error
def test_the_status_is_one_of_an_error(cls):
    assert 400 <= cls.status <= 599


@every_error
def test_the_class_says_when_it_is_raised(cls):
    assert cls.__doc__
    assert cls.__doc__ != cls.__base__.__doc__


@every_error
def test_the_class_is_drawn_in_the_tree_of_the_module(cls):
    drawn = [
        line for line in errors.__doc__.splitlines() if re.search(rf"\b{cls.__name__}\b", line)
    ]
    assert len(drawn) == 1
    depth = len(cls.__mro__) - len(UploadError.__mro__)
    indent = drawn[0].index(cls.__name__)
    assert indent == 4 + 4 * depth
    if not cls.__subclasses__():
        assert re.search(rf"\b{cls.code}\b", drawn[0])


def test_the_tree_draws_no_class_that_is_gone():
    drawn = re.findall(r"(?:── |^    )([A-Z]\w+)", errors.__doc__, re.MULTILINE)
    assert set(drawn) == {cls.__name__ for cls in CATALOGUE}


@every_error
def test_the_sentence_mentions_what_the_error_was_given(cls):
    given = {name: f"<{name}>" for name in mentioned(cls)}
    error = cls(**given)
    assert all(value in str(error) for value in given.values())
    assert error.context == given
    assert error.errors == []


IMPERATIVE = re.compile(r"(Log in|Send|Ask|Check|Choose|Try|Mend|Remove|Split|Start) ")


@every_error
def test_the_message_also_says_what_to_do(cls):
    """A sentence on what is wrong and one on what is possible, or an imperative alone."""
    sentences = re.split(r"(?<=[.])\)?\.? (?=[A-Z])", str(example(cls)))
    assert len(sentences) >= 2 or IMPERATIVE.match(sentences[0])
    assert sentences[-1].endswith(".")


def test_a_value_with_braces_is_shown_as_it_is():
    assert "{x} {0.__class__}" in str(errors.InvalidKey(reason="{x} {0.__class__}"))


def test_details_are_kept_for_the_answer_apart_from_the_sentence():
    details = [{"field": "parts.1", "message": "missing"}]
    error = errors.MissingParts(errors=details, count=1, num_parts=2, parts="1")
    assert error.errors == details
    assert "errors" not in error.context


def test_only_what_is_unavailable_asks_to_come_again():
    asking = {cls.code for cls in CATALOGUE if cls.retry_after}
    assert asking == {"database_unavailable", "still_copying", "store_unavailable"}


def calls_of_errors() -> list[tuple[str, type[UploadError], set[str]]]:
    """Find where the package makes an error, and the names that are given to it there."""
    by_name = {cls.__name__: cls for cls in CATALOGUE}
    found = []
    for path in Path(oarepo_s3.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
                cls = by_name.get(node.func.id)
                given = {keyword.arg for keyword in node.keywords if keyword.arg}
                if cls and len(given) == len(node.keywords):
                    found.append((f"{path.name}:{node.lineno}", cls, given))
    return found


def test_wherever_an_error_is_made_it_is_given_what_its_sentence_mentions():
    calls = calls_of_errors()
    assert len(calls) > 20
    assert [place for place, cls, given in calls if mentioned(cls) - given] == []
