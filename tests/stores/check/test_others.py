# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What stores lack is said, and stops nothing: rclone's and moto's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from oarepo_s3.backends import Profile
from oarepo_s3.backends.s3_trial import S3Trial
from oarepo_s3.core.errors import StoreFault, StoreMisconfigured
from oarepo_s3.provisioning.findings import Level
from oarepo_s3.provisioning.probe_abilities import probe_condition, probe_size
from oarepo_s3.provisioning.probe_address import probe_public_address
from oarepo_s3.provisioning.probe_objects import probe_object, probe_upload

from ..patient import Patient, checks, failures, levels, of
from .conftest import examined


@pytest.fixture
def patient(request) -> Iterator[Patient]:
    """A bucket at one of these stores, empty after each test."""
    with examined(request.getfixturevalue(f"{request.param}_store")) as made:
        yield made


def at(name: str) -> pytest.MarkDecorator:
    marks = [pytest.mark.rclone] if name == "rclone" else []
    return pytest.mark.parametrize(
        "patient", [pytest.param(name, marks=marks, id=name)], indirect=True
    )


at_rclone, at_moto = at("rclone"), at("moto")


@at_rclone
def test_a_store_without_cors_lifecycle_or_forms_can_be_used_by_scripts(patient):
    report = patient.check()
    assert failures(report) == []
    assert checks(report, Level.WARNING) == {"public address", "cors"}
    assert "does not answer their preflight" in of(report, "cors")[0].message
    assert checks(report, Level.NOTE) == {
        "condition",
        "forms",
        "lifecycle",
        "object checksums",
        "size",
        "sts",
        "versioning",
    }
    assert report.profile == Profile("other")


@at_moto
def test_a_store_that_compares_nothing_is_believed_nothing(patient):
    patient.set_cors()
    patient.set_lifecycle(7)
    report = patient.check()
    assert failures(report) == []
    assert report.profile == Profile(
        "other",
        object_checksums=frozenset({"crc32"}),
        part_checksums=frozenset(),
        conditional_complete=True,
    )


@at_moto
@pytest.mark.parametrize("probe", [probe_condition, probe_size])
def test_what_a_store_does_not_know_at_all_is_a_note(patient, monkeypatch, probe):
    def refuse(*args, **kwargs):
        raise StoreMisconfigured(reason="NotImplemented")

    monkeypatch.setattr(S3Trial, "complete_upload", refuse)
    report = patient.only(probe)
    (found,) = report.findings
    assert (found.level, "NotImplemented" in found.message) == (Level.NOTE, True)
    assert report.profile == Profile("other")


@at_moto
def test_uploads_that_are_listed_by_their_keys_alone_are_no_help_to_the_sweep(patient, monkeypatch):
    """As at MinIO."""
    monkeypatch.setattr(S3Trial, "list_uploads", lambda self, prefix: iter(()))
    monkeypatch.setattr(S3Trial, "find_uploads", lambda self, key: [self.opened])
    real = S3Trial.create_upload

    def create(self, *args, **kwargs):
        S3Trial.opened = real(self, *args, **kwargs)
        return S3Trial.opened

    monkeypatch.setattr(S3Trial, "opened", None, raising=False)
    monkeypatch.setattr(S3Trial, "create_upload", create)
    (found,) = of(patient.only(probe_upload), "uploads")
    assert (found.level, "by exact keys alone" in found.message) == (Level.WARNING, True)


@at_moto
def test_content_that_comes_back_changed_is_a_failure(patient, monkeypatch):
    monkeypatch.setattr(S3Trial, "stream", lambda self, key: iter([b"something else"]))
    (found,) = of(patient.only(probe_object), "read")
    assert (found.level, "not what was written" in found.message) == (Level.FAILURE, True)


@at_moto
def test_an_error_that_nobody_knows_is_told_with_the_code_of_the_store(patient, monkeypatch):
    def fail(*args, **kwargs):
        raise StoreFault(reason="Teapot")

    monkeypatch.setattr(S3Trial, "head", fail)
    found = of(patient.only(probe_object), "list")[0]
    assert (found.level, "(Teapot)" in found.message) == (Level.FAILURE, True)


@at_moto
@pytest.mark.parametrize(
    ("address", "origin", "warned"),
    [
        ("https://s3.example.org", "https://repo.example.org", set()),
        ("http://s3.example.org", "http://repo.example.org", set()),
        ("http://s3.example.org", "https://repo.example.org", {"mixed content"}),
        ("https://s3.example.org", "http://repo.example.org", set()),
        ("http://localhost:9000", "https://repo.example.org", {"public address"}),
        ("http://127.0.0.2", "https://repo.example.org", {"public address"}),
        ("http://[::1]:8080", "https://repo.example.org", {"public address"}),
        ("http://minio:9000", "http://repo.example.org", {"public address"}),
        ("http://192.0.2.7:9000", "http://repo.example.org", set()),
    ],
)
def test_addresses_that_browsers_cannot_use_are_warned_of(patient, address, origin, warned):
    report = patient.only(probe_public_address, public_endpoint_url=address, origins=[origin])
    assert checks(report, Level.WARNING) == warned
    assert levels(report, "public address") != []
