# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The checksum of the whole file: proved where the client gave one, else read as before."""

from __future__ import annotations

import hashlib
import os

import pytest

from oarepo_s3.backends.s3 import S3Store

from .editor import PART

CONTENT = os.urandom(2 * PART + 7)
SHA256 = f"sha256:{hashlib.sha256(CONTENT).hexdigest()}"
MD5 = f"md5:{hashlib.md5(CONTENT).hexdigest()}"


@pytest.fixture
def readings(monkeypatch):
    """How often a file's content was read by the server."""
    seen = []
    stream = S3Store.stream

    def count(self, key, start=0):
        seen.append(key)
        return stream(self, key, start)

    monkeypatch.setattr(S3Store, "stream", count)
    return seen


def test_a_declared_digest_is_proved_by_reading_once(editor, readings):
    begun = editor.begin("a.bin", len(CONTENT), checksum=SHA256)
    assert begun["checksum"] == SHA256
    editor.send(begun, CONTENT)
    editor.commit("a.bin")
    assert editor.read("a.bin").get_json()["checksum"] == SHA256
    assert len(readings) == 1
    assert editor.uploads()[0].checksum_status == "verified"


def test_a_digest_that_is_wrong_is_not_shown_as_the_files(editor):
    wrong = f"sha256:{'0' * 64}"
    editor.upload("a.bin", CONTENT, checksum=wrong)
    assert editor.read("a.bin").get_json()["checksum"].startswith("multipart:")
    assert editor.uploads()[0].checksum_status == "mismatch"


def test_without_a_digest_the_md5_is_computed_as_records_resources_does(editor, place):
    editor.upload("a.bin", CONTENT)
    checksum = editor.read("a.bin").get_json()["checksum"]
    # rclone's ETag is not made of the parts' own, so that there is nothing to compare with.
    assert checksum == (MD5 if place == "real" else f"multipart:{MD5[4:]}-{PART}")


@pytest.mark.parametrize("checksum", [None, SHA256], ids=["undeclared", "declared"])
def test_nothing_is_read_where_that_is_switched_off(app, editor, monkeypatch, readings, checksum):
    monkeypatch.setitem(app.config, "OAREPO_S3_READ_AFTER_COMMIT", False)
    more = {"checksum": checksum} if checksum else {}
    answer = editor.upload("a.bin", CONTENT, **more)
    assert answer["checksum"].startswith("multipart:")
    assert answer["checksum"].endswith(f"-{PART}")
    assert readings == []
