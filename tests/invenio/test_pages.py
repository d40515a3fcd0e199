# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The macro and the static files in Invenio's UI application, as its templates use them."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any

import pytest
from flask import Flask, render_template_string
from invenio_app.factory import create_ui

MACRO = '{% from "oarepo_s3/uploader.html" import uploader %}'
HOSTILE = "\"'><script>alert(1)</script>&amp;{{ 7 * 7 }}\n</oarepo-s3-uploader>"


class Tags(HTMLParser):
    """The tags of a page with their attributes, as a browser reads them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))

    def __getitem__(self, tag: str) -> dict[str, str | None]:
        [attributes] = [attributes for name, attributes in self.found if name == tag]
        return attributes


def make_ui(path: Any, **more: Any) -> Flask:
    return create_ui(
        instance_path=str(path),
        SECRET_KEY="for-tests-only",
        SQLALCHEMY_DATABASE_URI="sqlite://",
        CACHE_TYPE="SimpleCache",
        RATELIMIT_ENABLED=False,
        BROKER_URL="memory://",
        JSONSCHEMAS_HOST="localhost",
        SESSION_COOKIE_SECURE=True,
        **more,
    )


@pytest.fixture(scope="module")
def ui(tmp_path_factory):
    return make_ui(tmp_path_factory.mktemp("ui"), APP_ENABLE_SECURE_HEADERS=False)


def render(app: Flask, call: str, **values: Any) -> str:
    with app.test_request_context():
        return render_template_string(f"{MACRO}{{{{ {call} }}}}", **values)


def fetch(app: Flask, address: str) -> str:
    """Return the type of what is there."""
    with app.test_client().get(address) as answer:
        assert answer.status_code == 200
        return answer.mimetype


def test_a_page_gets_script_styles_and_element(ui):
    tags = Tags(render(ui, 'uploader(bucket="b1")'))
    assert [tag for tag, _ in tags.found] == ["link", "script", "oarepo-s3-uploader"]
    assert tags["oarepo-s3-uploader"] == {"bucket": "b1"}
    assert tags["script"]["type"] == "module"
    for address in (tags["script"]["src"], tags["link"]["href"]):
        assert fetch(ui, address) in ("text/javascript", "text/css")


def test_the_address_of_a_file_changes_with_its_content_and_the_worker_is_beside_it(ui):
    address = Tags(render(ui, 'uploader(bucket="b1")'))["script"]["src"]
    assert re.fullmatch(r"/static/oarepo_s3/uploader\.js\?v=[0-9a-f]{12}", address)
    assert fetch(ui, "/static/oarepo_s3/md5.worker.js") == "text/javascript"


def test_files_of_the_instance_itself_stay_where_they_are(ui):
    """The application's own route has the same beginning."""
    adapter = ui.url_map.bind("localhost")
    assert adapter.match("/static/oarepo_s3/uploader.js")[0] == "oarepo_s3_pages.static"
    assert adapter.match("/static/other/uploader.js")[0] == "static"


def test_all_arguments_become_attributes(ui):
    call = (
        'uploader(draft_files="/api/records/1/draft/files", endpoint="/x", id="up", lang="cs",'
        ' limit=4, part_size=5242880, checksums=true, note="A note", max_file_size=10,'
        ' max_files=2, accept="image/*,.csv", strings={"tryAgain": "Zkusit znovu"})'
    )
    attributes = Tags(render(ui, call))["oarepo-s3-uploader"]
    assert json.loads(attributes.pop("strings")) == {"tryAgain": "Zkusit znovu"}
    assert attributes == {
        "id": "up",
        "draft-files": "/api/records/1/draft/files",
        "endpoint": "/x",
        "lang": "cs",
        "limit": "4",
        "part-size": "5242880",
        "checksums": "",
        "note": "A note",
        "max-file-size": "10",
        "max-files": "2",
        "accept": "image/*,.csv",
    }


@pytest.mark.parametrize("name", ["bucket", "draft_files", "note", "id", "accept"])
def test_an_argument_stays_text(ui, name):
    tags = Tags(render(ui, f"uploader({name}=value)", value=HOSTILE))
    assert [tag for tag, _ in tags.found] == ["link", "script", "oarepo-s3-uploader"]
    assert tags["oarepo-s3-uploader"] == {name.replace("_", "-"): HOSTILE}


def test_strings_stay_text(ui):
    tags = Tags(render(ui, 'uploader(bucket="b", strings=value)', value={"a": HOSTILE}))
    assert [tag for tag, _ in tags.found] == ["link", "script", "oarepo-s3-uploader"]
    assert json.loads(tags["oarepo-s3-uploader"]["strings"]) == {"a": HOSTILE}


def test_a_page_with_its_own_bundle_gets_the_element_alone(ui):
    tags = Tags(render(ui, 'uploader(bucket="b1", bundle=false)'))
    assert [tag for tag, _ in tags.found] == ["oarepo-s3-uploader"]


def test_the_nonce_of_the_policy_is_passed_on(tmp_path):
    policy = {"default-src": ["'none'"], "script-src": [], "style-src": []}
    app = make_ui(
        tmp_path,
        APP_DEFAULT_SECURE_HEADERS={
            "force_https": False,
            "content_security_policy": policy,
            "content_security_policy_nonce_in": ["script-src", "style-src"],
        },
    )
    app.add_url_rule(
        "/page", "page", lambda: render_template_string(MACRO + "{{ uploader(bucket='b') }}")
    )
    answer = app.test_client().get("/page")
    [nonce] = set(re.findall(r"'nonce-([^']+)'", answer.headers["Content-Security-Policy"]))
    tags = Tags(answer.text)
    assert tags["script"]["nonce"] == tags["link"]["nonce"] == nonce
