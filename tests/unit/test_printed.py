# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A document for machines is printed as a whole, or not at all."""

from __future__ import annotations

import json

import pytest

from oarepo_s3.cli.output import printed_whole
from oarepo_s3.cli.rows import print_uploads
from oarepo_s3.models import Upload
from oarepo_s3.services import OwnedUpload


def owned() -> OwnedUpload:
    return OwnedUpload(Upload(key="á", state="pending", size=3), "jane@example.org")


def test_all_of_a_document_is_printed(capsys):
    with printed_whole() as document:
        document.write("á" * 100_000)
        document.write("\n")
        assert capsys.readouterr().out == ""
    assert capsys.readouterr().out == "á" * 100_000 + "\n"


def test_uploads_are_one_document(capsys):
    print_uploads([owned(), owned()], as_json=True)
    printed = json.loads(capsys.readouterr().out)
    assert [upload["key"] for upload in printed["uploads"]] == ["á", "á"]
    assert (printed["count"], printed["bytes_held"]) == (2, 6)


def test_of_a_list_of_uploads_that_breaks_off_nothing_is_printed(capsys):
    def breaks_off():
        yield owned()
        yield owned()
        raise ValueError("midway")

    with pytest.raises(ValueError, match="midway"):
        print_uploads(breaks_off(), as_json=True)
    assert capsys.readouterr().out == ""
