# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""All part links while they are few; beyond that the first ones, and where to find the others."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
from invenio_access.permissions import system_identity
from invenio_db import db

from oarepo_s3.core.times import utcnow
from oarepo_s3.models import Upload

from .editor import PART, entry, transfer

LIMIT, WINDOW, PAGE = 12, 4, 6
MORE = {"upload", "uploaded_parts", "part_urls"}


@pytest.fixture(autouse=True)
def few(app, monkeypatch):
    """Make files of a dozen parts long ones."""
    monkeypatch.setitem(app.config, "OAREPO_S3_PART_LINKS", LIMIT)
    monkeypatch.setitem(app.config, "OAREPO_S3_URL_WINDOW", WINDOW)
    monkeypatch.setitem(app.config, "OAREPO_S3_MAX_URLS", PAGE)


def numbers(found):
    return [link["part"] for link in found["links"]["parts"]]


def first(count):
    return list(range(1, count + 1))


def test_up_to_the_limit_there_are_all_links_and_no_others(editor):
    begun = editor.begin("a.bin", LIMIT * PART)
    for found in (begun, editor.read("a.bin").get_json(), entry(editor.list(), "a.bin")):
        assert numbers(found) == first(LIMIT)
        assert set(found["links"]) == {"self", "commit", "parts"}


def test_beyond_it_the_first_window_and_a_way_to_the_others(editor):
    begun = editor.begin("a.bin", (LIMIT + 1) * PART)
    for found in (begun, editor.read("a.bin").get_json(), entry(editor.list(), "a.bin")):
        assert numbers(found) == first(WINDOW)
        assert set(found["links"]) == {"self", "commit", "parts", "next_parts"} | MORE

    seen, following = numbers(begun), begun["links"]["next_parts"]
    while following:
        page = get(editor, following)
        assert len(page["urls"]) <= PAGE
        seen += [link["part"] for link in page["urls"]]
        following = page["links"].get("next")
    assert seen == first(LIMIT + 1)


def test_what_was_sent_is_listed_and_any_part_is_signed_again(editor):
    begun = editor.begin("a.bin", (LIMIT + 1) * PART)
    links = begun["links"]
    editor.send(begun, bytes(3 * PART), only=(1, 3))
    assert [part["part"] for part in get(editor, links["uploaded_parts"])["parts"]] == [1, 3]
    again = get(editor, f"{links['part_urls']}?parts=2,13")["urls"]
    assert [link["part"] for link in again] == [2, 13]
    assert get(editor, links["upload"])["num_parts"] == LIMIT + 1


@pytest.mark.parametrize(
    ("asked", "shown"),
    [(0, 0), (1, 1), (WINDOW + 1, WINDOW + 1), (LIMIT + 5, LIMIT), ("9" * 5000, LIMIT)],
    ids=["none", "one", "more", "too many", "a number of 5,000 digits"],
)
def test_a_client_asks_for_fewer_or_for_more(editor, asked, shown):
    editor.begin("a.bin", (LIMIT + 1) * PART)
    found = editor.read("a.bin", f"?part_links={asked}").get_json()
    assert numbers(found) == first(shown)
    assert set(found["links"]) == {"self", "commit", "parts", "next_parts"} | MORE


def test_a_client_that_has_all_links_can_ask_for_the_way(editor):
    editor.begin("a.bin", 2 * PART)
    found = editor.read("a.bin", "?part_links=2").get_json()
    assert numbers(found) == [1, 2]
    assert set(found["links"]) == {"self", "commit", "parts"} | MORE


def test_a_client_asks_so_when_it_begins(editor):
    answer = editor.person.post(
        editor.at("?part_links=1"), json=[transfer("a.bin", 3 * PART)]
    ).get_json()
    assert numbers(answer["entries"][0]) == [1]


@pytest.mark.parametrize("asked", ["all", "-1", "1.5", "", "²"])
def test_what_is_no_number_is_refused(editor, asked):
    editor.begin("a.bin", PART)
    answer = editor.read("a.bin", f"?part_links={asked}")
    assert (answer.status_code, answer.get_json()["code"]) == (400, "invalid_request")


def test_a_list_of_several_stays_small(editor):
    for key in ("a.bin", "b.bin"):
        editor.begin(key, LIMIT * PART)
    listing = editor.list().get_json()["entries"]
    assert [numbers(found) for found in listing] == [first(WINDOW)] * 2
    assert numbers(editor.read("b.bin").get_json()) == first(LIMIT)


def test_a_list_of_many_has_no_more_links_than_one_file(editor):
    for number in range(5):
        editor.begin(f"{number}.bin", LIMIT * PART)
    listing = editor.list().get_json()["entries"]
    assert sum(len(numbers(found)) for found in listing) <= LIMIT
    asked = editor.list(f"?part_links={LIMIT}").get_json()["entries"]
    assert sum(len(numbers(found)) for found in asked) <= LIMIT


def test_what_a_call_has_opened_has_all_its_links(editor):
    editor.begin("old.bin", LIMIT * PART)
    answer = editor.ask(transfer("a.bin", 5 * PART), transfer("b.bin", 7 * PART))
    assert numbers(entry(answer, "old.bin")) == first(WINDOW)
    assert numbers(entry(answer, "a.bin")) == first(5)
    assert numbers(entry(answer, "b.bin")) == first(7)


def test_unless_these_are_too_many_together(editor):
    answer = editor.ask(transfer("a.bin", 5 * PART), transfer("b.bin", 8 * PART))
    assert numbers(entry(answer, "a.bin")) == numbers(entry(answer, "b.bin")) == first(WINDOW)


def test_an_upload_whose_time_has_run_out_has_no_links_and_hides_no_others(editor):
    for key in ("a.bin", "b.bin"):
        editor.begin(key, PART)
    past = utcnow() - timedelta(seconds=1)
    Upload.query.filter_by(id=editor.uploads()[0].id).update({"expires_at": past})
    db.session.commit()
    answer = editor.read("a.bin")
    assert (answer.status_code, answer.get_json()["status"]) == (200, "pending")
    assert set(answer.get_json()["links"]) == {"self", "commit"}
    assert numbers(entry(editor.list(), "b.bin")) == [1]


def test_an_upload_that_is_just_being_copied_has_no_links_and_hides_no_others(editor):
    """Its file came by temporary keys: a part that was sent now would be mixed with it."""
    editor.begin("a.bin", PART)
    editor.begin("b.bin", PART)
    db.session.execute(sa.update(Upload).where(Upload.key == "a.bin").values(staged_etag="abc"))
    db.session.commit()
    listed = editor.list()
    assert "parts" not in entry(listed, "a.bin")["links"]
    assert numbers(entry(listed, "b.bin")) == [1]


def test_a_task_that_asks_the_service_has_all_links(app, editor, file_service):
    def ask():
        with app.app_context():
            return file_service.list_files(system_identity, editor.record_id).to_dict()["entries"]

    for key in ("a.bin", "b.bin"):
        editor.begin(key, LIMIT * PART)
    db.session.commit()
    # A thread of its own has no request.
    with ThreadPoolExecutor(1) as pool:
        listing = pool.submit(ask).result()
    assert [numbers(found) for found in listing] == [first(LIMIT)] * 2


def test_an_answer_asks_once_for_each_upload(editor):
    for key in ("a.bin", "b.bin", "c.bin"):
        editor.begin(key, PART)
    asked = []

    def count(connection, cursor, statement, *rest):
        asked.extend(re.findall(r"FROM oarepo_s3_upload\b", statement))

    db.session.rollback()
    sa.event.listen(db.engine, "before_cursor_execute", count)
    try:
        listing = editor.list().get_json()["entries"]
    finally:
        sa.event.remove(db.engine, "before_cursor_execute", count)
    assert [numbers(found) for found in listing] == [[1]] * 3
    assert len(asked) == 3


def test_files_of_other_kinds_do_not_count(editor):
    content = bytes(PART)
    editor.upload("done.bin", content)
    editor.ask({"key": "stream.txt"})
    editor.begin("a.bin", LIMIT * PART)
    assert numbers(entry(editor.list(), "a.bin")) == first(LIMIT)


def get(editor, address):
    """Ask for an address as it is given, below the application's own."""
    assert address.startswith("https://127.0.0.1:5000/api/") or address.startswith("http://")
    answer = editor.person.get(address.replace("https://127.0.0.1:5000/api", ""))
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_json()
