# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The check of a store: each finding appears, goes when its cause is mended, and nothing stays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import pytest

from oarepo_s3.backends import Profile
from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.digests import compute
from oarepo_s3.core.times import utcnow
from oarepo_s3.provisioning import probe_address, probe_checksums
from oarepo_s3.provisioning.bench import CONTENT
from oarepo_s3.provisioning.check import check_store
from oarepo_s3.provisioning.findings import Level
from oarepo_s3.provisioning.probe_abilities import probe_forms
from oarepo_s3.provisioning.probe_browser import probe_browser, probe_forms_of_browsers
from oarepo_s3.provisioning.probe_bucket import probe_lifecycle
from oarepo_s3.provisioning.probe_keys import probe_life_of_keys

from ..services import FaultProxy, free_port
from .conftest import connection
from .patient import ORIGIN, Patient, checks, failures, levels, of

OK, NOTE, WARNING, FAILURE = Level


@pytest.fixture
def patient(ceph_store) -> Iterator[Patient]:
    """A bucket at Ceph that is empty after each test, whatever was wrong with it."""
    made = Patient(ceph_store, connection(ceph_store))
    yield made
    made.client.delete_bucket_policy(Bucket=made.bucket)
    assert made.content() == []
    made.client.delete_bucket(Bucket=made.bucket)


pytestmark = pytest.mark.ceph


def test_nothing_is_wrong_with_a_bucket_that_is_set_up(patient, rgw):
    patient.set_cors()
    patient.set_lifecycle(7)
    report = patient.check()
    assert not report.failed
    # The tests' store is on this machine.
    assert checks(report, WARNING) == {"public address"}
    assert {"keys", "write", "read", "list", "delete", "multipart", "parts"} < checks(report, OK)
    assert {"uploads", "abort", "presigned URL", "cors", "lifecycle"} < checks(report, OK)
    assert report.left_behind == []
    abilities = report.profile.as_dict()
    assert (abilities["forms"], abilities["versioning"]) == (True, False)
    assert abilities["conditional_complete"] == rgw.conditional_complete
    assert abilities["size_on_complete"] is False
    crcs = ["crc32", "crc32c", "crc64nvme"] if rgw.checksums else []
    assert abilities["object_checksums"] == crcs
    assert abilities["part_checksums"] == sorted([*crcs[:2], "md5"])


def test_wrong_keys_a_missing_bucket_and_a_clock_that_is_off_are_told_apart(
    patient, ceph_store, monkeypatch
):
    bad_key = patient.with_keys("nobody", ceph_store.secret_key)
    bad_secret = patient.with_keys(ceph_store.access_key, "nonsense")
    no_bucket = patient.check(bucket="no-such-bucket")
    patient.forbid("s3:DeleteObject")
    no_right = patient.check()
    patient.forbid_nothing()
    set_clocks(monkeypatch, timedelta(minutes=20))
    bad_clock = patient.check()
    monkeypatch.undo()
    found = [failures(r)[0] for r in (bad_key, bad_secret, no_bucket, no_right, bad_clock)]
    assert [finding.check for finding in found] == ["keys", "keys", "bucket", "delete", "clock"]
    assert len({finding.message for finding in found}) == 5
    assert "access key" in found[0].message
    assert found[1].message.startswith("The secret key does not belong to")
    assert found[2].remedy == "invenio s3 bucket create no-such-bucket"
    assert "s3:DeleteObject" in found[3].message
    assert "timedatectl" in found[4].remedy
    # The rest is skipped where nothing else can work, and with a reason.
    for report in (bad_key, bad_secret, no_bucket, bad_clock):
        assert (levels(report, "rest"), report.profile) == ([NOTE], None)
    assert levels(no_right, "rest") == []


def set_clocks(monkeypatch, ahead: timedelta) -> None:
    """Put this machine's clock forward: that of the SDK, and our own."""
    from botocore import auth

    real = auth.get_current_datetime
    monkeypatch.setattr(auth, "get_current_datetime", lambda *a, **k: real(*a, **k) + ahead)
    monkeypatch.setattr(probe_address, "utcnow", lambda: utcnow() + ahead)


def test_the_store_itself_refuses_what_a_wrong_clock_has_signed(patient, monkeypatch):
    set_clocks(monkeypatch, timedelta(minutes=20))
    monkeypatch.setattr(probe_address, "utcnow", utcnow)
    report = patient.check()
    monkeypatch.undo()
    assert [finding.check for finding in failures(report)] == ["clock"]
    assert "refuses the requests" in failures(report)[0].message


@pytest.mark.parametrize(
    ("minutes", "level"), [(0, OK), (2, WARNING), (-2, WARNING), (6, FAILURE), (-6, FAILURE)]
)
def test_a_clock_is_compared_with_that_of_the_store(patient, monkeypatch, minutes, level):
    shifted = timedelta(minutes=minutes)
    monkeypatch.setattr(probe_address, "utcnow", lambda: utcnow() + shifted)
    (found,) = patient.only(probe_address.probe_clock).findings[1:]
    monkeypatch.undo()
    assert found.level is level
    assert ("ahead of" in found.message, "behind" in found.message) == (minutes > 0, minutes < 0)


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
        server = f"invenio s3 policy server --bucket {patient.bucket}  "
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


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (None, "the bucket has no CORS rules"),
        ({"AllowedOrigins": ["https://other.example.org"]}, "no CORS rule for it"),
        ({"AllowedMethods": ["GET"]}, "no CORS rule for it"),
        ({"ExposeHeaders": None}, "cannot see the ETag"),
        ({"ExposeHeaders": ["x-amz-request-id"]}, "cannot see the ETag"),
    ],
    ids=["no rule", "other origin", "other method", "nothing exposed", "no ETag"],
)
def test_cors_that_stops_browsers_is_a_failure_until_it_is_mended(patient, changes, said):
    if changes is not None:
        patient.set_cors(**changes)
    (found,) = failures(patient.only(probe_browser))
    assert found.check == "cors"
    assert found.remedy == (
        f"invenio s3 policy cors --origin {ORIGIN} --apply --bucket {patient.bucket}"
    )
    assert said in found.message
    assert ORIGIN in found.message
    patient.set_cors()
    assert levels(patient.only(probe_browser), "cors") == [OK, OK, OK]


def test_cors_that_allows_no_header_lets_parts_pass_without_their_checksums(patient):
    patient.set_cors(AllowedHeaders=None)
    report = patient.only(probe_browser)
    assert not report.failed
    assert "may not send a part's checksum" in of(report, "cors")[-1].message
    assert levels(report, "cors")[-1] is WARNING


def test_cors_without_forms_is_a_warning_where_the_store_takes_them(patient):
    patient.set_cors(AllowedMethods=["PUT", "GET", "HEAD"])
    report = patient.only(probe_browser, probe_forms, probe_forms_of_browsers)
    (found,) = [each for each in of(report, "cors") if each.level is not OK]
    assert (found.level, "no forms" in found.message) == (WARNING, True)
    patient.set_cors()
    report = patient.only(probe_browser, probe_forms, probe_forms_of_browsers)
    assert set(levels(report, "cors")) == {OK}


def test_each_origin_is_tried(patient):
    patient.set_cors()
    both = [ORIGIN, "https://other.example.org"]
    (found,) = failures(patient.only(probe_browser, origins=both))
    assert "https://other.example.org" in found.message
    patient.set_cors(AllowedOrigins=["*"])
    assert failures(patient.only(probe_browser, origins=both)) == []


def test_without_an_origin_there_is_nothing_to_ask_as_a_browser(patient):
    (found,) = of(patient.only(probe_browser, origins=()), "cors")
    assert found.level is NOTE
    assert "--origin" in found.remedy


def test_the_lifecycle_rule_is_compared_with_the_time_that_uploads_may_take(patient):
    (found,) = patient.only(probe_lifecycle).findings
    assert found.level is WARNING
    assert found.remedy == (
        f"invenio s3 policy lifecycle --prefix data/ --apply --bucket {patient.bucket}"
    )
    patient.set_lifecycle(3)
    (found,) = patient.only(probe_lifecycle).findings
    assert found.level is FAILURE
    assert "rule 'ours' removes uploads after 3 days" in found.message
    patient.set_lifecycle(7)
    assert levels(patient.only(probe_lifecycle), "lifecycle") == [OK]


@pytest.mark.parametrize(
    ("rule", "prefix", "level"),
    [
        ({"Status": "Disabled"}, "data", WARNING),
        ({"Filter": {"Prefix": "data/"}}, "data", OK),
        ({"Filter": {"Prefix": "d"}}, "data", OK),
        ({"Filter": {"Prefix": "data/forms/"}}, "data", WARNING),
        ({"Filter": {"Prefix": "other"}}, "data", WARNING),
    ],
    ids=["off", "whole", "wider", "part", "other"],
)
def test_a_lifecycle_rule_has_to_be_for_the_whole_location(patient, rule, prefix, level):
    patient.set_lifecycle(7, **rule)
    assert levels(patient.only(probe_lifecycle, prefix=prefix), "lifecycle") == [level]


def test_a_rule_that_may_not_be_read_is_a_note(patient):
    patient.forbid("s3:GetLifecycleConfiguration")
    (found,) = patient.only(probe_lifecycle).findings
    assert found.level is NOTE
    assert "s3:GetLifecycleConfiguration" in found.message


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


def test_keys_that_end_soon_are_a_warning(patient):
    keys = patient.config.credentials
    soon = Credentials(keys.access_key, keys.secret_key, None, utcnow() + timedelta(hours=2))
    (found,) = patient.only(probe_life_of_keys, credentials=soon).findings
    assert found.level is WARNING
    assert "end in 1 h 59 min" in found.message
    late = replace(soon, expires_at=utcnow() + timedelta(days=2))
    assert levels(patient.only(probe_life_of_keys, credentials=late), "life of keys") == [OK]


def test_keys_that_have_ended_are_a_failure(patient):
    keys = patient.config.credentials
    ended = Credentials(keys.access_key, keys.secret_key, None, utcnow() - timedelta(hours=2))
    (found,) = failures(patient.check(credentials=ended))
    assert "have ended" in found.message


def test_the_public_address_is_tried_and_hides_nothing_else(patient):
    patient.set_cors()
    with FaultProxy(urlsplit(patient.config.endpoint_url).port) as proxy:
        working = patient.check(public_endpoint_url=proxy.endpoint_url)
        assert levels(working, "presigned URL") == [OK]
        assert of(working, "public address")[0].message.count(proxy.endpoint_url) == 1
        assert proxy.counters.bytes_up > 0
    report = patient.check(public_endpoint_url=f"http://127.0.0.1:{free_port()}")
    (found,) = failures(report)
    assert found.check == "presigned URL"
    assert "does not answer from here" in found.message
    assert checks(report, OK) >= {"write", "read", "parts", "abort"}


def test_a_signature_that_the_public_address_breaks_is_a_failure(patient):
    """A name that the store does not see: what a proxy does that sets its own Host header."""
    port = urlsplit(patient.config.endpoint_url).port
    report = patient.check(public_endpoint_url=f"http://127.0.0.1:{port}/s3")
    (found,) = failures(report)
    assert found.check == "presigned URL"
    assert "Host header or the path" in found.message


def test_an_address_where_no_store_answers(patient):
    nobody = patient.check(endpoint_url=f"http://127.0.0.1:{free_port()}")
    (found,) = failures(nobody)
    assert (found.check, levels(nobody, "rest")) == ("address", [NOTE])
    assert "does not answer" in found.message
    for wrong in ("127.0.0.1", "http://", "ftp://127.0.0.1"):
        (found,) = failures(patient.check(endpoint_url=wrong))
        assert found.check == "address"


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
