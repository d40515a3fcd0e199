# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Wrong keys, keys that end and clocks that are off are told apart."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from oarepo_s3.core.credentials import Credentials
from oarepo_s3.core.times import utcnow
from oarepo_s3.provisioning import probe_address
from oarepo_s3.provisioning.findings import Level
from oarepo_s3.provisioning.probe_keys import probe_life_of_keys

from ..patient import failures, levels

pytestmark = pytest.mark.ceph


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
        assert (levels(report, "rest"), report.profile) == ([Level.NOTE], None)
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
    ("minutes", "level", "said"),
    [
        (0, Level.OK, "agree"),
        (2, Level.WARNING, "clock is 2m"),
        (-2, Level.WARNING, "clock is 1m 5"),
        (6, Level.FAILURE, "clock is 6m"),
        (-6, Level.FAILURE, "clock is 5m 5"),
    ],
)
def test_a_clock_is_compared_with_that_of_the_store(patient, monkeypatch, minutes, level, said):
    shifted = timedelta(minutes=minutes)
    monkeypatch.setattr(probe_address, "utcnow", lambda: utcnow() + shifted)
    (found,) = patient.only(probe_address.probe_clock).findings[1:]
    monkeypatch.undo()
    assert found.level is level
    assert said in found.message
    assert ("ahead of" in found.message, "behind" in found.message) == (minutes > 0, minutes < 0)


def test_keys_that_end_soon_are_a_warning(patient):
    keys = patient.config.credentials
    soon = Credentials(keys.access_key, keys.secret_key, None, utcnow() + timedelta(hours=2))
    (found,) = patient.only(probe_life_of_keys, credentials=soon).findings
    assert found.level is Level.WARNING
    assert "end in 1h 59m" in found.message
    late = replace(soon, expires_at=utcnow() + timedelta(days=2))
    assert levels(patient.only(probe_life_of_keys, credentials=late), "life of keys") == [Level.OK]


def test_keys_that_have_ended_are_a_failure(patient):
    keys = patient.config.credentials
    ended = Credentials(keys.access_key, keys.secret_key, None, utcnow() - timedelta(hours=2))
    (found,) = failures(patient.check(credentials=ended))
    assert "have ended" in found.message
