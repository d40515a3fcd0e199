# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Each right that the keys miss is named, until it is given."""

from __future__ import annotations

import pytest

from ..patient import failures

pytestmark = pytest.mark.ceph

RIGHTS = {
    "s3:PutObject": {"write", "multipart", "presigned URL"},
    "s3:GetObject": {"read"},
    "s3:DeleteObject": {"delete"},
    "s3:ListBucket": {"list"},
    "s3:AbortMultipartUpload": {"abort"},
    "s3:ListMultipartUploadParts": {"parts"},
    "s3:ListBucketMultipartUploads": {"uploads"},
}


@pytest.mark.parametrize("right", RIGHTS)
def test_a_missing_right_is_called_by_its_name_until_it_is_given(patient, right):
    patient.set_cors()
    patient.forbid(right)
    report = patient.check()
    assert {finding.check for finding in failures(report)} == RIGHTS[right]
    for finding in failures(report):
        assert f"may not {right}:" in finding.message
        server = f"invenio s3 policy server --prefix data/ --bucket {patient.bucket}  "
        assert finding.remedy.startswith(server)
    patient.forbid_nothing()
    assert patient.content() == []
    assert failures(patient.check()) == []


def test_several_missing_rights_are_all_named(patient):
    patient.forbid("s3:GetObject", "s3:ListBucket", "s3:ListMultipartUploadParts")
    messages = "".join(finding.message for finding in failures(patient.check()))
    for right in ("s3:GetObject", "s3:ListBucket", "s3:ListMultipartUploadParts"):
        assert messages.count(f"may not {right}:") == 1


def test_what_a_store_can_do_is_not_said_where_rights_are_missing(patient):
    patient.forbid("s3:ListMultipartUploadParts")
    assert patient.check().profile is None
