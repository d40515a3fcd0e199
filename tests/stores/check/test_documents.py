# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""CORS and lifecycle rules: each finding goes when its cause is mended."""

from __future__ import annotations

import pytest

from oarepo_s3.provisioning.findings import Level
from oarepo_s3.provisioning.probe_abilities import probe_forms
from oarepo_s3.provisioning.probe_browser import probe_browser, probe_forms_of_browsers
from oarepo_s3.provisioning.probe_bucket import probe_lifecycle

from ..patient import ORIGIN, failures, levels, of

pytestmark = pytest.mark.ceph


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
    assert levels(patient.only(probe_browser), "cors") == [Level.OK, Level.OK, Level.OK]


def test_cors_that_allows_no_header_lets_parts_pass_without_their_checksums(patient):
    patient.set_cors(AllowedHeaders=None)
    report = patient.only(probe_browser)
    assert not report.failed
    assert "may not send a part's checksum" in of(report, "cors")[-1].message
    assert levels(report, "cors")[-1] is Level.WARNING


def test_cors_without_forms_is_a_warning_where_the_store_takes_them(patient):
    patient.set_cors(AllowedMethods=["PUT", "GET", "HEAD"])
    report = patient.only(probe_browser, probe_forms, probe_forms_of_browsers)
    (found,) = [each for each in of(report, "cors") if each.level is not Level.OK]
    assert (found.level, "no forms" in found.message) == (Level.WARNING, True)
    patient.set_cors()
    report = patient.only(probe_browser, probe_forms, probe_forms_of_browsers)
    assert set(levels(report, "cors")) == {Level.OK}


def test_each_origin_is_tried(patient):
    patient.set_cors()
    both = [ORIGIN, "https://other.example.org"]
    (found,) = failures(patient.only(probe_browser, origins=both))
    assert "https://other.example.org" in found.message
    patient.set_cors(AllowedOrigins=["*"])
    assert failures(patient.only(probe_browser, origins=both)) == []


def test_without_an_origin_there_is_nothing_to_ask_as_a_browser(patient):
    (found,) = of(patient.only(probe_browser, origins=()), "cors")
    assert found.level is Level.NOTE
    assert "--origin" in found.remedy


def test_the_lifecycle_rule_is_compared_with_the_time_that_uploads_may_take(patient):
    (found,) = patient.only(probe_lifecycle).findings
    assert found.level is Level.WARNING
    assert found.remedy == (
        f"invenio s3 policy lifecycle --prefix data/ --apply --bucket {patient.bucket}"
    )
    patient.set_lifecycle(3)
    (found,) = patient.only(probe_lifecycle).findings
    assert found.level is Level.FAILURE
    assert "rule 'ours' removes uploads after 3 days" in found.message
    patient.set_lifecycle(7)
    assert levels(patient.only(probe_lifecycle), "lifecycle") == [Level.OK]


@pytest.mark.parametrize(
    ("rule", "prefix", "level"),
    [
        ({"Status": "Disabled"}, "data", Level.WARNING),
        ({"Filter": {"Prefix": "data/"}}, "data", Level.OK),
        ({"Filter": {"Prefix": "d"}}, "data", Level.OK),
        ({"Filter": {"Prefix": "data/oarepo-s3-forms/"}}, "data", Level.WARNING),
        ({"Filter": {"Prefix": "other"}}, "data", Level.WARNING),
    ],
    ids=["off", "whole", "wider", "part", "other"],
)
def test_a_lifecycle_rule_has_to_be_for_the_whole_location(patient, rule, prefix, level):
    patient.set_lifecycle(7, **rule)
    assert levels(patient.only(probe_lifecycle, prefix=prefix), "lifecycle") == [level]


def test_a_rule_that_may_not_be_read_is_a_note(patient):
    patient.forbid("s3:GetLifecycleConfiguration")
    (found,) = patient.only(probe_lifecycle).findings
    assert found.level is Level.NOTE
    assert "s3:GetLifecycleConfiguration" in found.message
