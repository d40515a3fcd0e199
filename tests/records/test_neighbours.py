# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What records-resources does by itself goes on: other locations, older uploads, own classes."""

from __future__ import annotations

import os

import pytest
from flask import Flask
from invenio_db import db
from invenio_files_rest.models import Location
from invenio_files_rest.proxies import current_files_rest
from invenio_records_resources.services.files import tasks
from invenio_records_resources.services.files.transfer import MultipartTransfer as Stock
from invenio_s3 import s3fs_storage_factory

from oarepo_s3 import OARepoS3
from oarepo_s3.transfers import MultipartTransfer

from .editor import PART
from .stack import Record

STOCK = "invenio_records_resources.services.files.transfer.MultipartTransfer"
OURS = "oarepo_s3.transfers:MultipartTransfer"


@pytest.fixture
def registry(app):
    """The transfers by type."""
    return app.extensions["invenio-records-resources"].transfer_registry._transfers


def test_ours_is_in_the_place_of_the_stock_one(registry):
    assert registry["M"] is MultipartTransfer
    assert sorted(registry) == ["F", "L", "M", "R"]


@pytest.mark.parametrize(
    ("given", "made"),
    [(["a.b", STOCK], ["a.b", OURS]), (["my.own.Multipart"], ["my.own.Multipart"]), ([], [])],
)
def test_a_site_that_lists_its_transfers_keeps_its_own(given, made):
    app = Flask("test")
    app.config["RECORDS_RESOURCES_TRANSFERS"] = given
    OARepoS3(app)
    assert app.config["RECORDS_RESOURCES_TRANSFERS"] == made


def test_a_location_on_disk_takes_parts_through_the_server(editor, tmp_path):
    content = os.urandom(20)
    on_disk = Location(name="on-disk", uri=str(tmp_path), default=False)
    db.session.add(on_disk)
    Record.pid.resolve(editor.record_id, registered_only=False).bucket.location = on_disk
    db.session.commit()

    begun = editor.begin("a.bin", 20, part_size=10)

    assert [link["url"] for link in begun["links"]["parts"]] == [
        f"{begun['links']['self']}/content/{part}" for part in (1, 2)
    ]
    for part in (1, 2):
        sent = editor.person.client.put(
            editor.of("a.bin", f"/content/{part}"),
            data=content[(part - 1) * 10 : part * 10],
            headers={"Content-Type": "application/octet-stream"},
        )
        assert sent.status_code == 200
    assert editor.commit("a.bin").status_code == 200
    with editor.person.get(editor.of("a.bin", "/content")) as answer:
        assert answer.data == content
    assert editor.uploads() == []


@pytest.fixture
def begun_before(editor, registry, monkeypatch):
    """A file that was begun before the package was installed."""
    monkeypatch.setitem(registry, "M", Stock)
    begun = editor.begin("a.bin", 2 * PART)
    monkeypatch.undo()
    assert editor.uploads() == []
    return begun


def test_a_file_that_was_begun_before_is_committed(editor, begun_before, monkeypatch):
    # It cannot make anything of rclone's ETags.
    monkeypatch.setattr(
        tasks.recompute_multipart_checksum_task, "apply_async", lambda **kwargs: None
    )
    content = os.urandom(2 * PART)
    links = editor.read("a.bin").get_json()["links"]["parts"]
    assert [link["part"] for link in links] == [1, 2]
    editor.send(begun_before, content)
    assert editor.commit("a.bin").status_code == 200
    assert editor.content("a.bin") == content


def test_a_file_that_was_begun_before_is_removed(editor, begun_before):
    assert len(editor.at_store()) == 1
    assert editor.delete("a.bin").status_code == 204
    assert editor.at_store() == set()


def test_another_storage_keeps_the_stock_behaviour(editor, monkeypatch):
    files_rest = current_files_rest._get_current_object()
    monkeypatch.setitem(vars(files_rest), "storage_factory", s3fs_storage_factory)
    begun = editor.begin("a.bin", PART)
    assert [link["part"] for link in begun["links"]["parts"]] == [1]
    assert editor.uploads() == []
