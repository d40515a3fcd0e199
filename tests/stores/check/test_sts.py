# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The check of temporary keys: whether there are any, and whether the store holds them to what they
are for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oarepo_s3.backends.s3 import S3Store
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.provisioning import probe_keys
from oarepo_s3.provisioning.findings import Level
from oarepo_s3.provisioning.prepare import NotReady, prepared
from oarepo_s3.provisioning.probe_keys import probe_sts

from ...object_store import Store
from ..patient import Patient, failures
from ..test_ceph_sts import ROLE, gateway
from .conftest import examined

__all__ = ("gateway",)

pytestmark = pytest.mark.ceph
ARN = f"arn:aws:iam:::role/{ROLE}"


@pytest.fixture
def patient(gateway) -> Iterator[Patient]:
    """A bucket at a gateway with STS and a role."""
    with examined(Store.at(gateway)) as made:
        yield made


@pytest.mark.parametrize(
    "wrong",
    [("nobody", "secret"), (None, "not-the-secret")],
    ids=["access key", "secret key"],
)
def test_wrong_keys_are_not_taken_for_a_missing_right(patient, gateway, wrong):
    """Such a gateway says AccessDenied to both."""
    keys = Credentials(wrong[0] or gateway.access_key, wrong[1])
    report = patient.check(credentials=keys)
    (found,) = failures(report)
    assert (found.check, found.remedy.split("  ")[0]) == ("keys", "invenio s3 setup")
    assert "wrong" in found.message
    subject = patient.subject(credentials=keys)
    store = S3Store(patient.bucket, subject.config)
    with pytest.raises(NotReady) as caught, prepared(store, subject, dry_run=True):
        pytest.fail("it was taken for ready")
    assert caught.value.findings == [found]


def test_keys_that_are_held_to_their_folder_are_fine(patient):
    report = patient.only(probe_sts, role=ARN)
    assert [finding.level for finding in report.findings] == [Level.OK]
    assert report.profile.sts


def test_without_a_role_nothing_is_tried(patient):
    (found,) = patient.only(probe_sts).findings
    assert (found.level, "OAREPO_S3_UPLOAD_ROLE" in found.message) == (Level.NOTE, True)


def test_a_role_that_is_none_is_a_warning_with_what_it_needs(patient):
    report = patient.only(probe_sts, role=f"{ARN}-not")
    (found,) = report.findings
    assert (found.level, report.profile.sts) == (Level.WARNING, False)
    where = f"--role {ARN}-not"
    trust, _, rest = found.remedy.partition("  and  ")
    assert trust == (
        f"invenio s3 policy trust {where} --principal ARN --apply --bucket {patient.bucket}"
    )
    assert rest.partition("  (")[0] == (
        f"invenio s3 policy role --prefix data/ {where} --apply --bucket {patient.bucket}"
    )


def test_keys_that_open_more_than_they_are_for_are_a_failure(patient, monkeypatch):
    """Of a store that ignores the policy of a session: here it is one for the whole bucket."""
    everything = {
        "Effect": "Allow",
        "Action": "s3:*",
        "Resource": f"arn:aws:s3:::{patient.bucket}/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [everything]}
    monkeypatch.setattr(probe_keys, "session_policy", lambda bucket, prefix: policy)
    report = patient.only(probe_sts, role=ARN)
    (found,) = report.findings
    assert (found.level, report.profile.sts) == (Level.FAILURE, False)
    assert "ignores their policy" in found.message


def test_keys_that_the_store_then_refuses_are_a_warning(patient, monkeypatch):
    nothing = {"Effect": "Deny", "Action": "s3:*", "Resource": f"arn:aws:s3:::{patient.bucket}/*"}
    policy = {"Version": "2012-10-17", "Statement": [nothing]}
    monkeypatch.setattr(probe_keys, "session_policy", lambda bucket, prefix: policy)
    report = patient.only(probe_sts, role=ARN)
    (found,) = report.findings
    assert (found.level, report.profile.sts) == (Level.WARNING, False)
    assert "then refuses them" in found.message
