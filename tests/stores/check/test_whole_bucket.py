# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A check of all of a bucket: what it says of one that is right, and that nothing of it stays."""

from __future__ import annotations

import pytest

from oarepo_s3.backends import Profile
from oarepo_s3.core.digests import compute
from oarepo_s3.provisioning import probe_checksums
from oarepo_s3.provisioning.bench import CONTENT
from oarepo_s3.provisioning.check import check_store
from oarepo_s3.provisioning.findings import Level

from ..patient import checks

pytestmark = pytest.mark.ceph


def test_nothing_is_wrong_with_a_bucket_that_is_set_up(patient, rgw):
    patient.set_cors()
    patient.set_lifecycle(7)
    report = patient.check()
    assert not report.failed
    # The tests' store is on this machine.
    assert checks(report, Level.WARNING) == {"public address"}
    assert {"keys", "write", "read", "list", "delete", "multipart", "parts"} < checks(
        report, Level.OK
    )
    assert {"uploads", "abort", "presigned URL", "cors", "lifecycle"} < checks(report, Level.OK)
    assert report.left_behind == []
    abilities = report.profile.as_dict()
    assert (abilities["forms"], abilities["versioning"]) == (True, False)
    assert abilities["conditional_complete"] == rgw.conditional_complete
    assert abilities["size_on_complete"] is False
    crcs = ["crc32", "crc32c", "crc64nvme"] if rgw.checksums else []
    assert abilities["object_checksums"] == crcs
    assert abilities["part_checksums"] == sorted([*crcs[:2], "md5"])


def test_a_bucket_that_keeps_versions_is_left_without_any(patient):
    enabled = {"Status": "Enabled"}
    patient.client.put_bucket_versioning(Bucket=patient.bucket, VersioningConfiguration=enabled)
    report = patient.check()
    assert report.profile.versioning
    assert report.left_behind == []
    assert patient.content() == []


def test_test_objects_stand_beside_the_data_in_a_folder_of_their_own(patient, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "oarepo_s3.provisioning.bench.S3Trial.put", lambda self, key, content: seen.append(key)
    )
    patient.check(prefix="some/data")
    patient.check(prefix="")
    within, whole = [key.rpartition("/")[0] for key in dict.fromkeys(seen)]
    assert within.startswith("some/data/check-")
    assert whole.startswith("check-")
    assert within.rpartition("/")[2] != whole


def test_the_known_checksums_are_right():
    both = [bytes(probe_checksums.ZEROS), CONTENT]
    assert {name: compute(name, [CONTENT]) for name in probe_checksums.OF_CONTENT} == (
        probe_checksums.OF_CONTENT
    )
    assert {name: compute(name, both) for name in probe_checksums.OF_TWO_PARTS} == (
        probe_checksums.OF_TWO_PARTS
    )


def test_what_is_tried_is_not_what_was_expected(patient, rgw):
    """A store is not believed to be able to do what its profile says."""
    able = Profile(
        "aws",
        conditional_complete=True,
        size_on_complete=True,
        object_checksums=frozenset({"crc32"}),
        versioning=True,
    )
    found = check_store(patient.subject(profile=able)).profile
    assert found.name == "aws"
    assert (found.size_on_complete, found.versioning) == (False, False)
    assert found.conditional_complete == rgw.conditional_complete
