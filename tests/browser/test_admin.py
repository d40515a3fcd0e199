# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The uploads in the administration of a whole instance, as an administrator sees them.

The pictures of the documentation are written as those of test_accessibility are.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask_principal import ActionNeed
from invenio_access.models import ActionUsers
from invenio_db import db
from invenio_files_rest.models import Bucket
from playwright.sync_api import Page, expect

from oarepo_s3.models import Upload

from ..people import UPLOADER, Person, new_person, send_parts
from ..services import FaultProxy
from .administration import LIST, create_pages, field, open_at, picture, rows
from .site import Site
from .test_accessibility import SERIOUS, nodes

pytestmark = pytest.mark.browser

PART = 5 * 2**20
WINDOW = {"width": 1100, "height": 900}


@pytest.fixture(scope="module")
def pages(app) -> Flask:
    """The pages of the instance, on the database of its API."""
    return create_pages(app)


@pytest.fixture(scope="module")
def site(app, site_port, pages) -> Iterator[Site]:
    """The site, running."""
    made = Site(app, site_port, pages)
    with made.serving():
        yield made


@pytest.fixture(scope="module")
def way_to_store(store) -> Iterator[FaultProxy]:
    """The way from the server to the store."""
    with FaultProxy(int(store.endpoint_url.rpartition(":")[2])) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def app_config(app_config, place, way_to_store) -> dict[str, Any]:
    """Go that way, without patience."""
    app_config.update(
        S3_ENDPOINT_URL=way_to_store.endpoint_url,
        OAREPO_S3_MAX_ATTEMPTS=1,
        OAREPO_S3_SILENCE_PAUSE=0,
        REST_CSRF_ENABLED=False,
    )
    return app_config


@pytest.fixture
def owner(app, bucket_id, location) -> Person:
    """Somebody with uploads."""
    db.session.execute(db.delete(Upload))
    person = new_person(app)
    person.grant(db.session.get(Bucket, bucket_id), *UPLOADER)
    yield person
    db.session.remove()


@pytest.fixture
def begun(owner, bucket_id) -> Callable[..., dict[str, Any]]:
    """Begin an upload: call it with a name, a number of parts, and those that are sent."""

    def begin(key: str, parts: int = 1, sent: tuple[int, ...] = ()) -> dict[str, Any]:
        bucket = db.session.get(Bucket, bucket_id)
        upload = owner.begin(bucket, key, parts * PART, part_size=PART)
        send_parts(upload, bytes(parts * PART), only=sent)
        db.session.remove()
        return upload

    return begin


@pytest.fixture
def open_as(site, pages, chromium) -> Iterator[Callable[..., Page]]:
    """Open the list as somebody new: call it with the rights that they have."""
    with contextlib.ExitStack() as stack:

        def opened(*actions: str) -> Page:
            with pages.app_context():
                person = new_person(pages)
                for action in actions:
                    db.session.add(ActionUsers.allow(ActionNeed(action), user_id=person.user_id))
                db.session.commit()
                cookie = person.client.get_cookie(pages.config["SESSION_COOKIE_NAME"])
                db.session.remove()
            address = site.address_at("127.0.0.1")
            context = stack.enter_context(chromium.new_context(viewport=WINDOW))
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": address}])
            page = context.new_page()
            page.answer = page.goto(f"{address}{LIST}")
            return page

        yield opened


@pytest.fixture
def admin(open_as) -> Callable[[], Page]:
    """Open the list as an administrator."""
    return lambda: open_as("admin-access")


def test_the_list_shows_the_uploads_and_filters_them(begun, owner, bucket_id, admin, app):
    older = begun("measurement-2026.h5", parts=3, sent=(1,))
    done = begun("readme.txt", sent=(1,))
    assert owner.complete(done).status_code == 200
    db.session.get(Upload, older["id"]).created_at -= timedelta(days=1, hours=2)
    db.session.commit()
    row = db.session.get(Upload, done["id"])
    token, user_id = row.token, row.user_id
    db.session.remove()

    page = admin()
    assert page.answer.status == 200
    assert rows(page) == ["readme.txt", "measurement-2026.h5"]
    first = page.locator("tbody tr", has_text="measurement-2026.h5")
    for text in ("pending", "15.0 MiB", "3", "1d 2h ago", "@example.org"):
        expect(first).to_contain_text(text)
    assert token not in page.content()
    picture(page, "list")

    for wanted, found in {
        "flt0_0=pending": ["measurement-2026.h5"],
        "flt0_0=completed": ["readme.txt"],
        f"flt0_1={user_id}": ["readme.txt", "measurement-2026.h5"],
        "flt0_1=nobody@example.org": [],
        f"flt0_2={bucket_id}": ["readme.txt", "measurement-2026.h5"],
        "flt0_2=00000000-0000-4000-8000-000000000000": [],
    }.items():
        page.goto(page.url.partition("?")[0] + f"?{wanted}")
        assert rows(page) == found, wanted
    for wrong in ("flt0_0=lost", "flt0_1=99999999999", "flt0_1=a%00", "flt0_2=1"):
        page.goto(page.url.partition("?")[0] + f"?{wrong}")
        expect(page.locator(".alert")).to_contain_text("Invalid Filter Value")


def test_a_filter_is_chosen_by_hand(begun, admin):
    begun("a")
    page = admin()
    page.get_by_text("Add Filter").click()
    page.locator("a.filter", has_text="State").click()
    page.locator("#filter_form .select2-container").last.click()
    page.locator(".select2-results li", has_text="aborted").click()
    page.get_by_role("button", name="Apply").click()
    expect(page.locator("td.col-key")).to_have_count(0)
    assert "flt" in page.url


def test_progress_is_the_stores_and_the_upload_can_be_aborted(begun, admin, store):
    upload = begun("measurement-2026.h5", parts=3, sent=(1,))
    page = admin()
    page.get_by_role("link", name="measurement-2026.h5").click()
    expect(field(page, "State")).to_have_text("pending")
    expect(field(page, "Parts")).to_contain_text("1 of 3 at the store, 5.0 MiB of 15.0 MiB")
    assert len(open_at(store, upload)) == 1

    page.get_by_text("Abort this upload").click()
    picture(page, "upload")
    page.get_by_role("button", name="Abort it").click()

    expect(page.locator(".alert-success")).to_contain_text("measurement-2026.h5: aborted.")
    expect(page.locator("td.col-state")).to_have_text("aborted")
    assert open_at(store, upload) == []
    page.get_by_role("link", name="measurement-2026.h5").click()
    expect(field(page, "Parts")).to_contain_text("3 planned; the store holds none of an upload")
    expect(page.get_by_text("Abort this upload")).to_have_count(0)


def test_one_that_the_store_has_lost_stays_until_it_is_aborted(begun, admin, store):
    upload = begun("a", sent=(1,))
    [found] = open_at(store, upload)
    store.client().abort_multipart_upload(
        Bucket=store.bucket, Key=found["Key"], UploadId=found["UploadId"]
    )
    page = admin()
    page.get_by_role("link", name="a", exact=True).click()
    expect(field(page, "Parts")).to_have_text("1 planned; the store does not know this upload")
    page.reload()
    expect(field(page, "State")).to_have_text("pending")
    page.get_by_text("Abort this upload").click()
    page.get_by_role("button", name="Abort it").click()
    expect(page.locator("td.col-state")).to_have_text("aborted")


def test_a_file_that_came_by_a_form_or_was_made_is_told_of(begun, owner, admin, store):
    done, waiting = begun("done", sent=(1,)), begun("waiting")
    assert owner.complete(done).status_code == 200
    key = f"oarepo-s3-forms/{waiting['id']}"
    store.client().put_object(Bucket=store.bucket, Key=key, Body=bytes(PART))
    db.session.get(Upload, waiting["id"]).form_uri = f"s3://{store.bucket}/{key}"
    db.session.commit()
    db.session.remove()
    page = admin()
    for name, said in (("done", "the store has made the file"), ("waiting", "come by a form")):
        page.get_by_role("link", name=name, exact=True).click()
        expect(field(page, "Parts")).to_contain_text(said)
        page.go_back()


def test_several_are_aborted_from_the_list(begun, admin, store):
    for name in ("a", "b", "c"):
        begun(name)
    page = admin()
    page.on("dialog", lambda dialog: dialog.accept())
    for name in ("a", "b"):
        page.locator("tbody tr", has=page.get_by_role("link", name=name, exact=True)).get_by_role(
            "checkbox"
        ).check()
    page.get_by_text("With selected").click()
    page.get_by_role("link", name="Abort").click()
    expect(page.locator(".alert-success")).to_have_count(2)
    states = page.locator("td.col-state").all_inner_texts()
    assert sorted(states) == ["aborted", "aborted", "pending"]


def test_a_store_that_is_away_does_not_take_the_pages_with_it(begun, admin, way_to_store):
    begun("measurement-2026.h5", parts=3)
    way_to_store.faults(refuse=True, reset_up=1)
    page = admin()
    assert rows(page) == ["measurement-2026.h5"]
    page.get_by_role("link", name="measurement-2026.h5").click()
    expect(field(page, "Parts")).to_contain_text("3 planned; The object store")
    page.get_by_text("Abort this upload").click()
    page.get_by_role("button", name="Abort it").click()
    expect(page.locator(".alert-danger")).to_contain_text("The object store")
    expect(page.locator("td.col-state")).to_have_text("aborting")
    way_to_store.reset()


def test_without_its_csrf_token_nothing_is_aborted(begun, admin):
    upload = begun("a")
    page = admin()
    form = {"action": "abort", "rowid": upload["id"]}
    assert "The CSRF token is missing" in page.request.post(f"{page.url}action/", form=form).text()
    page.reload()
    expect(page.locator("td.col-state")).to_have_text("pending")


@pytest.mark.parametrize("address", ["", "details/?id={id}", "new/", "edit/?id={id}"])
def test_nobody_else_gets_in_and_nothing_is_edited(begun, open_as, address):
    upload = begun("a")
    page = open_as()
    assert page.answer.status == 403
    here = page.url + address.format(id=upload["id"])
    assert page.request.get(here).status == 403
    page.context.clear_cookies()
    assert re.search("/login", page.request.get(here).url)

    page = open_as("admin-access")
    answer = page.request.get(page.url + address.format(id=upload["id"]))
    assert answer.status == 200
    assert (answer.url == here) == ("new" not in address and "edit" not in address)


def test_it_can_be_read_by_all(begun, admin, axe):
    begun("measurement-2026.h5", parts=3, sent=(1,))
    page = admin()
    page.get_by_role("link", name="measurement-2026.h5").click()
    page.get_by_text("Abort this upload").click()
    page.evaluate(axe)
    ours = [["h1"], ["table"], ["details"]]
    found = page.evaluate("async ours => (await axe.run({include: ours})).violations", ours)
    serious = [each for each in found if each["impact"] in SERIOUS]
    assert serious == [], [(each["id"], each["help"], nodes(each)) for each in serious]


def test_an_unknown_upload_is_said_to_be_unknown(begun, admin):
    page = admin()
    for wrong in ("1", "00000000-0000-4000-8000-000000000000", "%00"):
        page.goto(f"{page.url.partition('?')[0].removesuffix('details/')}details/?id={wrong}")
        expect(page.locator(".alert")).to_contain_text("does not exist")
