# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Anything may be sent: the answer is no server error, and a refusal has a code that is known.

And nothing is lost: the upload that was there before can be completed afterwards.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ..people import UPLOADER, Person, http, new_person, put, send_parts
from . import anything
from .contract import SHOWN

PART = 5 * 2**20
FUZZ = settings(max_examples=40, deadline=None, derandomize=True, database=None)


class Fuzzed:
    """Somebody with an upload whose second part is still to be sent, so that no call can end it."""

    def __init__(self, person: Person, bucket: Any) -> None:
        self.person, self.bucket = person, bucket
        self.upload = person.begin(bucket, "kept", 2 * PART, part_size=PART)
        send_parts(self.upload, bytes(2 * PART), only=(1,))
        self.seen: Counter[int] = Counter()

    def send(self, method: str, address: str, **kwargs: Any) -> Any:
        """Send a request and look at what has to be true of every answer."""
        answer = self.person.client.open(address, method=method, **kwargs)
        assert answer.status_code < 500, answer.data
        self.seen[answer.status_code] += 1
        # A method or an address that is not ours is refused by Flask.
        ours = answer.status_code not in (405, 308) and method in ("GET", "POST", "DELETE")
        if answer.status_code >= 400 and ours:
            error = answer.get_json()
            assert error["status"] == answer.status_code == SHOWN[error["code"]].status
        return answer

    def complete(self) -> Any:
        """Do what could be done before: send the other part, and complete."""
        put(self.upload["urls"][1]["url"], bytes(PART))
        return self.person.complete(self.upload)


@pytest.fixture
def fuzzed(app, bucket) -> Iterator[Fuzzed]:
    """What is asked for; at the end it is seen that nothing is lost."""
    fuzzed = Fuzzed(new_person(app).grant(bucket, *UPLOADER), bucket)
    yield fuzzed
    print(dict(fuzzed.seen))
    assert fuzzed.complete().status_code == 200


def test_any_file_name_is_refused_or_comes_back(fuzzed, bucket):
    @FUZZ
    @given(anything.keys)
    def send(key):
        body = {"bucket": str(bucket.id), "key": key, "size": 3}
        begun = fuzzed.send("POST", "/multipart-uploads", json=body)
        if begun.status_code != 201:
            assert begun.get_json()["code"] == "invalid_key"
            return
        # To JSON two halves that follow each other are one character.
        key = json.loads(json.dumps(key))
        assert begun.get_json()["key"] == key
        send_parts(begun.get_json(), b"abc")
        done = fuzzed.person.complete(begun.get_json())
        assert (done.status_code, done.get_json()["file"]["key"]) == (200, key)
        # The router of files-rest knows no empty names and no double slashes.
        address = f"/files/{bucket.id}/{quote(key, safe='')}"
        answer = fuzzed.person.client.get(address, headers={"Range": "bytes=1-"})
        if answer.status_code == 302:
            assert http.request("GET", answer.headers["Location"]).data == b"abc"
            fuzzed.seen[302] += 1
        assert answer.status_code in (302, 308, 404)

    send()
    assert fuzzed.seen[201] >= 10
    assert fuzzed.seen[302] >= 10
    assert fuzzed.seen[400] >= 5


def test_any_body_is_refused_to_begin(fuzzed):
    @FUZZ
    @given(
        anything.bodies, st.sampled_from([None, "application/json", "text/plain", "a/b; charset=x"])
    )
    def send(body, content_type):
        for address in ("/multipart-uploads", fuzzed.upload["links"]["complete"]):
            answer = fuzzed.send("POST", address, data=body, content_type=content_type)
            assert answer.status_code == 400

    send()


def test_any_field_of_a_new_upload_is_refused_or_taken(fuzzed, bucket):
    @FUZZ
    @given(anything.new_fields)
    def send(change):
        body = {"bucket": str(bucket.id), "key": "a", "size": 3, **change}
        answer = fuzzed.send("POST", "/multipart-uploads", json=body)
        if answer.status_code == 201:
            assert fuzzed.send("DELETE", answer.get_json()["links"]["abort"]).status_code == 204

    send()
    assert fuzzed.seen[201] >= 3
    assert fuzzed.seen[400] >= 10


@pytest.mark.parametrize("named", ["/multipart-uploads", "self", "urls", "parts", "complete"])
def test_any_header_and_method_is_harmless(fuzzed, named):
    address = fuzzed.upload["links"].get(named, named)

    @FUZZ
    @given(st.sampled_from(anything.METHODS), anything.headers)
    @example("GET", {"X-HTTP-Method-Override": "DELETE"})
    @example("POST", {"X-HTTP-Method-Override": "DELETE"})
    def send(method, headers):
        if (named, method) == ("self", "DELETE"):
            return  # this one would be meant
        fuzzed.send(method, address, headers=headers)

    send()
    shown = fuzzed.person.get(fuzzed.upload["links"]["self"])
    assert shown.get_json()["state"] == "pending"


@pytest.mark.parametrize("length", ["-1", "x", "9" * 30, "1", "0", "", "1.5", "+2"])
def test_a_length_that_is_a_lie_is_refused(fuzzed, length):
    for address in ("/multipart-uploads", fuzzed.upload["links"]["complete"]):
        lie = {"CONTENT_LENGTH": length}
        body = b'{"parts": 1}'
        answer = fuzzed.send("POST", address, data=body, environ_overrides=lie)
        assert answer.status_code == 400


def test_any_ranges_of_parts_are_signed_or_refused(fuzzed):
    @FUZZ
    @given(anything.ranges)
    def send(parts):
        answer = fuzzed.send("GET", fuzzed.upload["links"]["urls"], query_string={"parts": parts})
        if answer.status_code == 200:
            assert {url["part"] for url in answer.get_json()["urls"]} <= {1, 2}

    send()
    assert fuzzed.seen[200] >= 1


@pytest.mark.parametrize("named", ["/multipart-uploads", "parts", "urls", "self"])
def test_any_query_is_answered_or_refused(fuzzed, named):
    address = fuzzed.upload["links"].get(named, named)

    @FUZZ
    @given(anything.queries)
    def send(query):
        encoded = {_encodable(name): _encodable(value) for name, value in query.items()}
        fuzzed.send("GET", address, query_string=encoded)

    send()


def test_any_list_of_parts_is_refused_while_one_is_missing(fuzzed):
    @FUZZ
    @given(anything.claims)
    @example([{"PartNumber": number, "ETag": "x"} for number in range(1, 10_002)])
    @example([{"PartNumber": 1, "ETag": "x"}] * 10_001)
    def send(parts):
        answer = fuzzed.send("POST", fuzzed.upload["links"]["complete"], json={"parts": parts})
        assert answer.status_code == 400

    send()


def test_any_id_is_not_found(fuzzed):
    @FUZZ
    @given(anything.keys, st.sampled_from(["", "/urls", "/parts", "/complete"]))
    def send(name, rest):
        address = f"/multipart-uploads/{quote(_encodable(name), safe='')}{rest}"
        if name and "/" not in name:
            assert fuzzed.send("POST" if rest == "/complete" else "GET", address).status_code >= 400

    send()


def _encodable(text: str) -> str:
    """Return what a URL can carry: no lone surrogates."""
    return text.encode("utf-8", "replace").decode()
