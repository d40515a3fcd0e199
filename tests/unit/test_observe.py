# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Who observes a store learns how each call ended, also of what the SDK has no word for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from oarepo_s3.backends.config import StoreConfig
from oarepo_s3.backends.observe import expecting
from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.errors import StoreDenied, StoreError

from ..services import free_port

OPTIONS = {"retries": {"mode": "standard", "total_max_attempts": 1}}


@pytest.fixture
def seen() -> list[tuple[str, str | None]]:
    """The calls that were seen, and the codes of their errors."""
    return []


@pytest.fixture
def store(seen) -> S3Store:
    """A store that is not there, and somebody who observes it."""

    def observe(call: str, seconds: float, code: str | None) -> None:
        assert 0 <= seconds < 60
        seen.append((call, code))

    return S3Store(
        "bucket",
        StoreConfig(
            endpoint_url=f"http://127.0.0.1:{free_port()}",
            region="us-east-1",
            credentials=Credentials("key", "secret"),
            client_options=OPTIONS,
            observer=observe,
        ),
    )


CALLS = {
    "ListParts": lambda store: store.list_parts("k", "u"),
    "ListMultipartUploads": lambda store: list(store.list_uploads("k")),
    "CompleteMultipartUpload": lambda store: store.complete_upload("k", "u", []),
    "UploadPartCopy": lambda store: store.copy_part("k", "u", 1, source="s"),
    "AssumeRole": lambda store: store.issue_credentials(
        role="arn:aws:iam:::role/uploader",
        session_name="name",
        policy={},
        lifetime=timedelta(minutes=15),
    ),
    "ListUserPolicies": lambda store: store.read_user_policy("user", "policy"),
    "GetObject": lambda store: list(store.stream("k")),
}


@pytest.mark.parametrize("call", CALLS)
def test_a_store_that_is_not_there(store, seen, call):
    with pytest.raises(StoreError) as error:
        CALLS[call](store)
    assert seen == [(call, error.value.code)] == [(call, "store_unavailable")]


def test_what_is_no_error_of_the_sdk(store, seen, monkeypatch):
    def fail(*_: Any) -> None:
        raise RecursionError

    monkeypatch.setattr(store._client._endpoint, "make_request", fail)
    with pytest.raises(StoreError) as error:
        store.head("k")
    assert seen == [("HeadObject", error.value.code)] == [("HeadObject", "store_misconfigured")]


def answer(status: int, code: str | None = None) -> tuple[Any, dict[str, Any]]:
    """Return an answer as the SDK has read it."""
    parsed: dict[str, Any] = {"ResponseMetadata": {"HTTPStatusCode": status}}
    if code:
        parsed["Error"] = {"Code": code, "Message": ""}
    return type("Http", (), {"status_code": status})(), parsed


@pytest.mark.parametrize(
    ("call", "ask", "given", "code"),
    [
        ("AbortMultipartUpload", lambda s: s.abort_upload("k", "u"), (204,), None),
        ("HeadObject", lambda s: s.head("k"), (404, "404"), None),
        ("ListParts", lambda s: s.list_parts("k", "u"), (404, "NoSuchKey"), "store_upload_gone"),
        ("GetObject", lambda s: [*s.stream("k")], (404, "NoSuchKey"), "store_misconfigured"),
        ("DeleteObject", lambda s: s.delete("k"), (503, "SlowDown"), "store_unavailable"),
        ("DeleteObject", lambda s: s.delete("k"), (418, None), "store_fault"),
    ],
)
def test_answers_have_the_code_that_the_caller_gets(
    store, seen, monkeypatch, call, ask, given, code
):
    monkeypatch.setattr(store._client._endpoint, "make_request", lambda *_: answer(*given))
    if code is None:
        ask(store)
    else:
        with pytest.raises(StoreError) as error:
            ask(store)
        assert error.value.code == code
    assert seen == [(call, code)]


@pytest.mark.parametrize(
    ("listed", "codes"),
    [
        ({"Contents": []}, [None, None]),
        ({"Contents": [{"Key": "k/other"}]}, [None, None]),
        ({"Contents": [{"Key": "k"}]}, [None, None, "store_denied"]),
        (None, [None, "store_denied", "store_denied"]),
    ],
)
def test_a_refused_look_for_an_object_is_an_error_if_the_list_does_not_say_that_there_is_none(
    store, seen, monkeypatch, listed, codes
):
    def make_request(model, request):
        if model.name == "HeadObject":
            return answer(403, "403")
        if listed is None:
            return answer(403, "AccessDenied")
        http, parsed = answer(200)
        return http, {**parsed, **listed}

    monkeypatch.setattr(store._client._endpoint, "make_request", make_request)
    if codes[-1] is None:
        assert store.head("k") is None
    else:
        with pytest.raises(StoreDenied):
            store.head("k")
    assert seen == list(zip(["HeadObject", "ListObjectsV2", "HeadObject"], codes, strict=False))


@pytest.mark.parametrize(
    ("expected", "code"), [({"NoSuchKey"}, None), ({"AccessDenied"}, "store_misconfigured")]
)
def test_an_answer_that_is_expected_is_no_error(store, seen, monkeypatch, expected, code):
    given = answer(404, "NoSuchKey")
    monkeypatch.setattr(store._client._endpoint, "make_request", lambda *_: given)
    with expecting(expected), pytest.raises(StoreError):
        list(store.stream("k"))
    with pytest.raises(StoreError):
        list(store.stream("k"))
    assert seen == [("GetObject", code), ("GetObject", "store_misconfigured")]


def test_a_store_that_is_not_there_is_never_expected(store, seen):
    with expecting({"ConnectionError", ""}), pytest.raises(StoreError):
        store.head("k")
    assert seen == [("HeadObject", "store_unavailable")]


def test_one_who_answers_in_the_place_of_the_store_takes_no_time(store, seen):
    events = store._client.meta.events
    events.register_first("before-call.s3.DeleteObject", lambda **_: answer(204))
    store.delete("k")
    assert seen == [("DeleteObject", None)]


def test_nobody_is_registered_where_nobody_observes(store):
    def handlers(client: Any) -> int:
        return sum(
            "observe_calls" in repr(handler)
            for name in ("before-call.s3.X", "after-call.s3.X", "after-call-error.s3.X")
            for handler in client.meta.events._emitter._handlers.prefix_search(name)
        )

    alone = S3Store("bucket", StoreConfig(region="us-east-1", credentials=Credentials("k", "s")))
    assert handlers(store._client) == 3
    assert handlers(alone._client) == 0
