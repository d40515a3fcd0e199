# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A stock client sends a file by transfer "M"."""

from __future__ import annotations

import os

from .editor import PART


def test_a_file_goes_from_the_client_to_the_store_and_back(editor):
    content = os.urandom(2 * PART + 7)

    begun = editor.begin("data.bin", len(content), metadata={"note": "raw"})

    assert begun["status"] == "pending"
    assert begun["size"] == len(content)
    assert begun["transfer"] == {"type": "M", "parts": 3, "part_size": PART}
    assert begun["metadata"] == {"note": "raw"}
    assert set(begun["links"]) == {"self", "commit", "parts"}
    assert [sorted(link) for link in begun["links"]["parts"]] == [["expiration", "part", "url"]] * 3
    editor.send(begun, content)
    answer = editor.commit("data.bin")

    assert answer.status_code == 200
    done = answer.get_json()
    assert (done["status"], done["size"]) == ("completed", len(content))
    assert done["transfer"] == {"type": "L"}
    assert set(done["links"]) == {"self", "commit", "content"}
    assert editor.content("data.bin") == content
    assert editor.at_store() == set()


def test_a_storage_class_is_kept(app, editor, monkeypatch):
    classes = {**app.config["FILES_REST_STORAGE_CLASS_LIST"], "A": "Archive"}
    monkeypatch.setitem(app.config, "FILES_REST_STORAGE_CLASS_LIST", classes)
    begun = editor.begin("a.bin", 1, storage_class="A")
    assert begun["storage_class"] == "A"
    editor.send(begun, b"a")
    assert editor.commit("a.bin").get_json()["storage_class"] == "A"
