# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Commands say "1 failure" and "2 failures"."""

from __future__ import annotations

import pytest

from oarepo_s3.cli.bucket import _counted
from oarepo_s3.cli.findings import report_lines
from oarepo_s3.cli.uploads import _store_lines
from oarepo_s3.provisioning.findings import Finding, Level, Report
from oarepo_s3.services import StoredObject, StoreSide


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ([], "0 failures, 0 warnings"),
        ([Level.FAILURE, Level.WARNING], "1 failure, 1 warning"),
        ([Level.FAILURE] * 2 + [Level.WARNING] * 2, "2 failures, 2 warnings"),
    ],
)
def test_a_report_counts_its_findings(levels, said):
    report = Report("s3://a", [Finding("keys", level, "It is so.") for level in levels])
    assert [*report_lines(report)][-1] == f"s3://a: {said}"


def test_what_the_store_has_of_an_upload():
    def side(number):
        return StoreSide(
            known=True,
            parts=number,
            bytes=number,
            highest_part=number,
            missing_parts=number,
            form=False,
            object=StoredObject(size=number, etag="e", proved=True),
        )

    assert [*_store_lines(side(1))] == [
        "at the store: 1 part of 1 B (1 byte), the highest is 1, 1 is missing",
        "object: 1 byte, ETag e, made by this upload",
    ]
    assert [*_store_lines(side(2))] == [
        "at the store: 2 parts of 2 B (2 bytes), the highest is 2, 2 are missing",
        "object: 2 bytes, ETag e, made by this upload",
    ]


def test_what_a_bucket_holds():
    assert _counted(1, "open upload") == "1 open upload"
    assert _counted(None, "object") == "an unknown number of objects"
