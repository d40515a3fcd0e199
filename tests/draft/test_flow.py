# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""From the first request to a readable file, at the endpoint of a draft."""

from __future__ import annotations

import io
import os

import pytest
from invenio_db import db
from invenio_files_rest.models import Bucket

from oarepo_s3.views import uploads

from ..invenio.test_storage import PART
from ..people import http
from .records import begin, send

ODD_KEYS = [
    "a b.txt",
    "žluťoučký kůň 日本.bin",
    "50%.bin",
    "a+b?c#d&e=f;g.txt",
    "%2e%2f",
    "{parts}'\"",
]


def content_of(person, draft, key):
    """Download a file from the draft's own address."""
    found = person.get(draft.listed[key]["url"])
    assert found.status_code == 302, found.get_data(as_text=True)
    return http.request("GET", found.headers["Location"]).data


@pytest.mark.parametrize("number", ["PartNum", "PartNumber"])
def test_a_file_is_uploaded_to_a_draft(owner, draft, number):
    content = os.urandom(PART + 1)
    answer = begin(owner, draft, "data.bin", len(content), part_size=PART)
    upload = answer.get_json()
    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert (upload["size"], upload["part_size"], upload["num_parts"]) == (PART + 1, PART, 2)
    file = f"http://localhost{draft.address}/files/data.bin"
    assert upload["complete_url"] == upload["finish_url"] == f"{file}/complete-multipart"
    assert upload["abort_url"] == f"{file}/abort-multipart"
    assert (draft.listed["data.bin"]["checksum"], owner.get(file).status_code) == (None, 404)

    etags = send(upload, content)
    parts = [{"ETag": etag, number: part} for part, etag in enumerate(etags, 1)]
    done = owner.post(upload["complete_url"], json={"parts": parts})

    assert (done.status_code, done.get_json()["state"]) == (200, "completed")
    assert content_of(owner, draft, "data.bin") == content
    version = draft.record.files["data.bin"].obj
    assert version.file.readable
    assert version.mimetype == "text/x-test"
    entry = draft.listed["data.bin"]
    assert entry["checksum"] == version.file.checksum == done.get_json()["file"]["checksum"]
    assert (entry["size"], entry["mime_type"]) == (len(content), "text/x-test")
    assert Bucket.get(draft.bucket.id).size == len(content)


def test_a_form_begins_an_upload_as_well(owner, draft):
    form = {"key": "a", "multipart_content_type": "text/x-test", "size": "3", "note": "mine"}
    answer = owner.post(f"{draft.address}/files/?multipart=True", data=form)
    assert (answer.status_code, answer.get_json()["size"]) == (201, 3)
    send(answer.get_json(), b"abc")
    assert owner.post(answer.get_json()["complete_url"]).status_code == 200
    assert draft.listed["a"]["note"] == ["mine"], "other fields are the package's own affair"
    assert content_of(owner, draft, "a") == b"abc"


def test_a_repeated_complete_gives_the_same_answer_and_writes_nothing(owner, draft):
    upload = begin(owner, draft, "a", 3).get_json()
    send(upload, b"abc")
    first = owner.post(upload["complete_url"])
    revision = draft.record.revision_id
    again = owner.post(upload["complete_url"])
    assert (again.status_code, again.get_json()) == (200, first.get_json())
    assert draft.record.revision_id == revision


@pytest.mark.parametrize("method", ["abort_url", "post", "delete"])
def test_an_aborted_file_is_gone_from_the_record(owner, draft, store, method):
    before = store.open_uploads()
    upload = begin(owner, draft, "a", 3).get_json()
    send(upload, b"abc")
    assert len(store.open_uploads().keys() - before) == 1

    if method == "delete":
        assert owner.delete(upload["links"]["abort"]).status_code == 204
    else:
        address = upload["abort_url"] if method == "abort_url" else upload["links"]["abort"]
        answer = owner.post(address)
        assert (answer.status_code, answer.get_json()["state"]) == (200, "aborted")
        assert owner.post(address).status_code == 200

    assert draft.listed == {}
    assert "a" not in draft.record.files
    assert (Bucket.get(draft.bucket.id).size, store.open_uploads()) == (0, before)
    assert owner.post(upload["links"]["complete"]).status_code == 409


def test_after_an_abort_the_older_file_is_back(owner, draft):
    old = begin(owner, draft, "a", 3).get_json()
    send(old, b"old")
    owner.post(old["complete_url"])
    entry = draft.listed["a"]
    new = begin(owner, draft, "a", 4).get_json()
    assert draft.listed["a"]["checksum"] is None

    assert owner.post(new["abort_url"]).status_code == 200

    back = draft.listed["a"]
    assert {name: back[name] for name in ("checksum", "size", "version_id")} == {
        name: entry[name] for name in ("checksum", "size", "version_id")
    }
    assert content_of(owner, draft, "a") == b"old"


@pytest.mark.parametrize("key", ODD_KEYS)
def test_the_addresses_of_an_answer_work_as_they_are_given(owner, draft, monkeypatch, key):
    monkeypatch.setattr(uploads, "PARTS_PAGE", 1)
    content = os.urandom(PART + 1)
    upload = begin(owner, draft, key, len(content), part_size=PART).get_json()
    send(upload, content)
    links = upload["links"]
    record = f"http://localhost{draft.address}/files/"
    assert all(link.startswith(record) for link in links.values())

    first = owner.get(links["parts"]).get_json()
    assert first["links"]["next"].startswith(links["parts"])
    second = owner.get(first["links"]["next"]).get_json()
    assert [p["part"] for page in (first, second) for p in page["parts"]] == [1, 2]
    signed = owner.get(links["urls"]).get_json()["urls"]
    assert [item["part"] for item in signed] == [1, 2]
    template = links["urls_template"].replace("{parts}", "2")
    assert owner.get(template).get_json()["urls"][0]["part"] == 2

    done = owner.post(links["complete"] if key == ODD_KEYS[0] else upload["complete_url"])
    assert (done.status_code, done.get_json()["key"]) == (200, key)
    assert done.get_json()["links"] == links
    assert content_of(owner, draft, key) == content


def test_there_are_links_for_as_many_parts_as_one_call_may_ask_for(owner, draft):
    upload = begin(owner, draft, "a", 1001 * PART, part_size=PART).get_json()
    assert (upload["num_parts"], len(upload["part_urls"])) == (1001, 25)
    assert len(owner.get(upload["links"]["urls"]).get_json()["urls"]) == 1000
    assert owner.post(upload["abort_url"]).status_code == 200


def test_of_two_uploads_of_a_key_each_is_ended_by_its_own_links(owner, draft):
    older, newer = (begin(owner, draft, "a", size).get_json() for size in (3, 4))
    send(newer, b"1234")
    assert owner.post(older["links"]["abort"]).get_json()["id"] == older["id"]
    assert owner.post(newer["links"]["complete"]).get_json()["id"] == newer["id"]
    assert content_of(owner, draft, "a") == b"1234"
    assert draft.listed["a"]["size"] == 4


def test_what_another_door_has_completed_a_repeated_call_writes_into_the_record(
    owner, draft, person
):
    upload = begin(owner, draft, "a", 3).get_json()
    send(upload, b"abc")
    owner.grant(draft.bucket, "bucket-update")
    address = f"/multipart-uploads/{upload['id']}/complete"
    assert owner.post(address).status_code == 200
    assert draft.listed["a"]["checksum"] is None
    assert owner.post(upload["complete_url"]).status_code == 200
    assert draft.listed["a"]["checksum"] == draft.record.files["a"].file.checksum


@pytest.mark.parametrize("query", ["", "?multipart=False", "?multipart=0"])
def test_a_file_in_a_form_goes_the_package_s_own_way(owner, draft, query):
    answer = owner.post(
        f"{draft.address}/files/{query}", data={"key": "a", "file": (io.BytesIO(b"abc"), "a")}
    )
    assert answer.status_code == 201, answer.get_data(as_text=True)
    assert "upload_id" not in answer.get_json()
    assert content_of(owner, draft, "a") == b"abc"


@pytest.mark.parametrize("query", ["", "?multipart=True"])
def test_a_put_goes_the_package_s_own_way(owner, draft, query):
    answer = owner.client.put(f"{draft.address}/files/a{query}", data=b"abc")
    assert (answer.status_code, answer.get_json()["size"]) == (201, 3)
    assert answer.get_json()["checksum"].startswith("md5:")
    db.session.rollback()  # the package does not commit here


@pytest.mark.filterwarnings("ignore:Object of type <ObjectVersion>:sqlalchemy.exc.SAWarning")
def test_a_published_record_is_the_package_s_own_affair(owner, draft):
    upload = begin(owner, draft, "a", 3).get_json()
    send(upload, b"abc")
    owner.post(upload["complete_url"])
    published = owner.post(f"{draft.address}/publish")
    assert published.status_code == 302, published.get_data(as_text=True)
    file = owner.get(f"/records/{draft.pid_value}/files/a")
    assert http.request("GET", file.headers["Location"]).data == b"abc"
    for method, address in (("post", "complete_url"), ("post", "abort_url")):
        assert getattr(owner, method)(upload[address]).status_code == 410
