# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The plain application, and people and records in it."""

from __future__ import annotations

from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import quote

import pytest

from oarepo_s3.views import multipart_actions
from tests.docs.pages import blocks
from tests.invenio.test_storage import PART
from tests.people import Person, http, put


@pytest.fixture(scope="module")
def plain(place, tmp_path_factory) -> Iterator[ModuleType]:
    """The module that the documentation prints, installed by the entry points that it prints."""
    installed = tmp_path_factory.mktemp("installed")
    write_metadata(installed / "plain_app-1.0.dist-info")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(installed)
        patch.syspath_prepend(Path(__file__).parent / "app")
        import plain_app

        yield plain_app


def write_metadata(folder: Path) -> None:
    """Write what pip writes of a package with the printed ``setup.cfg``."""
    (printed,) = blocks("docs/howto/records-files.md", "entry_points")
    setup = ConfigParser()
    setup.read_string(printed)
    groups = setup["options.entry_points"].items()
    folder.mkdir()
    (folder / "METADATA").write_text("Name: plain-app\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "\n".join(f"[{name}]{lines}" for name, lines in groups)
    )


@pytest.fixture(scope="module")
def app_config(app_config, plain) -> dict[str, Any]:
    """The settings that the documentation prints, and small parts."""
    import plain_config

    printed = {name: value for name, value in vars(plain_config).items() if name.isupper()}
    app_config.update(printed, OAREPO_S3_PART_SIZE=PART)
    return app_config


@pytest.fixture(scope="module")
def app(base_app, database) -> Any:
    """The application as Invenio puts it together, and once more by somebody who forgot half."""
    item = base_app.config["RECORDS_REST_ENDPOINTS"]["recid"]["item_route"]
    for rule, view in multipart_actions("bare").items():
        base_app.add_url_rule(f"/bare{item}/{rule}", view_func=view)
    return base_app


class Author(Person):
    """Somebody with a record."""

    address = ""

    def create_record(self) -> Author:
        """Make a record by REST; its files are at :meth:`file`."""
        answer = self.post("/records/", json={"title": "Data"})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        self.address = answer.headers["Location"]
        return self

    def file(self, key: str, call: str = "") -> str:
        """Return the address of a file of the record, or of a call below it."""
        return f"{self.address}/files/{quote(key)}" + (call and f"/{call}")

    def begin_file(self, key: str, size: int, **more: Any) -> dict[str, Any]:
        """Begin an upload, which has to succeed."""
        answer = self.post(self.file(key, "begin-multipart"), json={"size": size, **more})
        assert answer.status_code == 201, answer.get_data(as_text=True)
        return answer.get_json()

    def upload_file(self, key: str, content: bytes) -> dict[str, Any]:
        """Begin, send all parts, complete, as a client does; return the answer of complete."""
        session = self.begin_file(key, len(content))
        send(session, content)
        answer = self.post(session["complete_url"])
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_json()

    def listed(self) -> list[dict[str, Any]]:
        """Return what the record says of its files."""
        return self.get(self.address).get_json()["metadata"].get("_files", [])

    def content(self, address: str) -> bytes:
        """Download by an address of Invenio, which redirects to the store."""
        answer = self.get(address)
        assert answer.status_code == 302, answer.get_data(as_text=True)
        return http.request("GET", answer.headers["Location"]).data


def send(session: dict[str, Any], content: bytes) -> list[dict[str, Any]]:
    """Send all parts to the store; return them as a client lists them."""
    size = session["part_size"]
    return [
        {"PartNumber": index + 1, "ETag": put(url, content[index * size :][:size])}
        for index, url in enumerate(session["part_urls"])
    ]


@pytest.fixture
def author(app, person, location) -> Author:
    """Somebody who has just created a record by REST."""
    made = person()
    made.__class__ = Author
    return made.create_record()


@pytest.fixture
def record_of(plain) -> Any:
    """Return the record of an author, fresh from the database."""
    from invenio_db import db
    from invenio_pidstore.models import PersistentIdentifier

    def find(author: Author) -> Any:
        db.session.expire_all()
        pid = PersistentIdentifier.get("recid", author.address.rpartition("/")[2])
        return plain.DataRecord.get_record(pid.object_uuid)

    return find
