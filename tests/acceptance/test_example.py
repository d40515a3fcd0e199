# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""run-example.sh from the outside: its README does what it says, and its permissions hold.

The environment is the one that runs the tests, so that none has to be made.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
from collections.abc import Iterator
from typing import Any

import pytest
import urllib3

from .script import Script, finish, read_until

PART = 5 * 2**20
LAST_OF_GUIDE = "Ctrl-C ends the example."

pytestmark = pytest.mark.rclone

http = urllib3.PoolManager(retries=False)


@pytest.fixture(scope="module")
def example(tmp_path_factory) -> Iterator[Script]:
    made = Script("run-example.sh", tmp_path_factory.mktemp("example"))
    yield made
    assert made.left_behind() == []


@pytest.fixture(scope="module")
def printed(example) -> Iterator[dict[str, str]]:
    """What the serving example prints for pasting: the address and the tokens."""
    process = example.start()
    guide = "\n".join(read_until(process, LAST_OF_GUIDE))
    yield dict(re.findall(r"^export (\w+)=(\S+)$", guide, re.MULTILINE))
    process.send_signal(signal.SIGTERM)
    status, lines = finish(process)
    assert (status, lines[-1]) == (0, "example: ok: ended as asked")


class User:
    """Somebody with a token, or nobody."""

    def __init__(self, printed: dict[str, str], name: str | None) -> None:
        self.api = printed["API"]
        self.headers = {} if name is None else {"Authorization": f"Bearer {printed[name]}"}

    def call(self, method: str, address: str, **options: Any) -> Any:
        return http.request(method, address, headers=self.headers, redirect=False, **options)

    def get(self, address: str) -> Any:
        return self.call("GET", address)

    def post(self, address: str, body: Any = None) -> Any:
        return self.call("POST", address, **({} if body is None else {"json": body}))

    def draft(self, title: str = "A measurement") -> str:
        """Make a draft and return its address."""
        answer = self.post(f"{self.api}/records", {"metadata": {"title": title}})
        assert answer.status == 201, answer.data
        return answer.json()["links"]["self"]

    def begin(self, draft: str, key: str, size: int, parts: int) -> dict[int, str]:
        """Begin a file and return the URLs of its parts."""
        transfer = {"type": "M", "parts": parts, "part_size": PART}
        answer = self.post(f"{draft}/files", [{"key": key, "size": size, "transfer": transfer}])
        assert answer.status == 201, answer.data
        [links] = [e["links"] for e in answer.json()["entries"] if e["key"] == key]
        return {part["part"]: part["url"] for part in links["parts"]}

    def upload(self, draft: str, key: str, content: bytes) -> None:
        """Send a file of two parts and commit it."""
        urls = self.begin(draft, key, len(content), 2)
        for number, url in urls.items():
            part = content[(number - 1) * PART : number * PART]
            assert http.request("PUT", url, body=part).status == 200
        committed = self.post(f"{draft}/files/{key}/commit")
        assert committed.json()["status"] == "completed", committed.data

    def publish(self, draft: str) -> str:
        """Publish a draft and return the address of the record."""
        answer = self.post(f"{draft}/actions/publish")
        assert answer.status == 202, answer.data
        return answer.json()["links"]["self"]

    def content(self, owner: str, key: str) -> bytes:
        """Download a file of a record or a draft, by a redirect to the store."""
        answer = self.get(f"{owner}/files/{key}/content")
        assert answer.status == 302, answer.data
        return http.request("GET", answer.headers["Location"]).data


@pytest.fixture
def alice(printed) -> User:
    return User(printed, "ALICE")


@pytest.fixture
def others(printed) -> list[User]:
    """Who has no part in Alice's drafts: another user, nobody, and a token that is made up."""
    return [
        User(printed, "BOB"),
        User(printed, None),
        User({**printed, "ALICE": printed["ALICE"] + "x"}, "ALICE"),
    ]


@pytest.fixture
def content() -> bytes:
    """A file of two parts."""
    return os.urandom(PART + 1000)


@pytest.mark.skipif(not shutil.which("curl"), reason="the Debian package curl is not installed")
def test_the_commands_of_the_readme_work(example):
    status, lines = example.run("--once")
    assert status == 0, lines
    assert "[(1, 5242880), (2, 5242880), (3, 1514240)]" in lines
    assert any(line.startswith("completed 12000000 ") for line in lines)
    assert any(line.startswith("missing_parts 2 of 3 parts are missing: 2-3.") for line in lines)
    assert lines[-2] == "the same"
    assert re.fullmatch(r"example: ok: the \d+ blocks of .*README\.md do what it says", lines[-1])


def test_a_mistake_is_named_before_anything_starts(example):
    status, lines = example.run("--what")
    assert status == 2
    assert "unrecognized" in lines[-1]


def test_a_draft_and_its_files_are_the_owners_alone(alice, others, content):
    draft = alice.draft()
    alice.upload(draft, "done.bin", content)
    alice.begin(draft, "begun.bin", PART + 1, 2)
    session = alice.get(f"{draft}/files/begun.bin?part_links=0").json()["links"]["upload"]
    before = alice.get(f"{draft}/files").json()
    bob = others[0]

    for other in others:
        refused = [
            other.get(draft),
            other.call("PUT", draft, json={"metadata": {"title": "Mine"}}),
            other.call("DELETE", draft),
            other.post(f"{draft}/actions/publish"),
            other.get(f"{draft}/files"),
            other.post(f"{draft}/files", [{"key": "x", "size": 1, "transfer": _one_part()}]),
            other.get(f"{draft}/files/done.bin/content"),
            other.post(f"{draft}/files/begun.bin/commit"),
            other.call("DELETE", f"{draft}/files/begun.bin"),
        ]
        assert {answer.status for answer in refused} == {403}
        of_session = [
            other.get(session),
            other.get(f"{session}/urls?parts=1"),
            other.get(f"{session}/parts"),
            other.post(f"{session}/complete"),
            other.call("DELETE", session),
        ]
        # Of the session not even its existence is told; who is nobody is asked to log in.
        assert {answer.status for answer in of_session} == {404 if other is bob else 401}

    after = alice.get(f"{draft}/files").json()
    assert [(e["key"], e["status"]) for e in after["entries"]] == [
        (e["key"], e["status"]) for e in before["entries"]
    ]


def test_nobody_makes_no_drafts(others):
    record = {"metadata": {"title": "A measurement"}}
    bob, *nobodies = others
    assert bob.post(f"{bob.api}/records", record).status == 201
    assert {one.post(f"{one.api}/records", record).status for one in nobodies} == {403}


@pytest.mark.parametrize(
    ("transfer", "status"),
    [
        ({"type": "L"}, 403),
        # The address is looked at before the permission.
        ({"type": "F", "url": "https://example.org/file"}, 400),
        ({"type": "R", "url": "https://example.org/file"}, 400),
    ],
    ids=["through Invenio", "fetched", "elsewhere"],
)
def test_files_come_by_multipart_uploads_only(alice, transfer, status):
    draft = alice.draft()
    answer = alice.post(f"{draft}/files", [{"key": "file", "transfer": transfer}])
    assert answer.status == status
    assert alice.get(f"{draft}/files").json()["entries"] == []


@pytest.mark.parametrize("removed", ["", "/files", "/files/begun.bin"])
def test_an_upload_ends_with_its_file(alice, removed):
    draft = alice.draft()
    urls = alice.begin(draft, "begun.bin", PART + 1, 2)
    assert http.request("PUT", urls[2], body=b"x").status == 200
    assert alice.call("DELETE", draft + removed).status == 204
    assert {http.request("PUT", url, body=b"x").status for url in urls.values()} == {404}


def test_everybody_reads_what_is_published_and_nobody_changes_it(alice, others, content):
    draft = alice.draft()
    alice.upload(draft, "data.bin", content)
    record = alice.publish(draft)

    for reader in (alice, *others):
        assert reader.get(record).json()["metadata"] == {"title": "A measurement"}
        assert [e["size"] for e in reader.get(f"{record}/files").json()["entries"]] == [
            len(content)
        ]
        assert reader.content(record, "data.bin") == content
        changes = [
            reader.post(f"{record}/files", [{"key": "x", "size": 1, "transfer": _one_part()}]),
            reader.call("DELETE", f"{record}/files/data.bin"),
            reader.call("PUT", record, json={"metadata": {"title": "Other"}}),
            reader.call("DELETE", record),
        ]
        assert {answer.status for answer in changes} == {405}


def test_a_published_record_keeps_its_files_when_it_is_edited(alice, content):
    draft = alice.draft()
    alice.upload(draft, "data.bin", content)
    record = alice.publish(draft)

    assert alice.post(draft).status == 201
    alice.call("PUT", draft, json={"metadata": {"title": "A better name"}})
    assert alice.publish(draft) == record

    assert alice.get(record).json()["metadata"] == {"title": "A better name"}
    assert alice.content(record, "data.bin") == content


def test_a_new_version_takes_files_over_and_gets_more(alice, content):
    draft = alice.draft()
    alice.upload(draft, "data.bin", content)
    first = alice.publish(draft)

    second = alice.post(f"{first}/versions").json()["links"]["self"]
    assert alice.post(f"{second}/actions/files-import").status == 201
    alice.upload(second, "more.bin", content[::-1])
    second = alice.publish(second)

    assert second != first
    assert alice.content(second, "data.bin") == content
    assert alice.content(second, "more.bin") == content[::-1]
    assert [e["key"] for e in alice.get(f"{first}/files").json()["entries"]] == ["data.bin"]


def _one_part() -> dict[str, Any]:
    return {"type": "M", "parts": 1, "part_size": PART}
