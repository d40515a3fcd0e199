# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is kept of a store is read in whatever state the caller's transaction is."""

from __future__ import annotations

import pytest
from invenio_db import db

from oarepo_s3.backends import Profile
from oarepo_s3.models import StoreProfile
from oarepo_s3.services import forget_kept_profile, keep_profile, kept_profile

from ..sqlite import writers_wait

PLACE, ADDRESS = "s3://kept", "https://s3.example.org"
TRIED = Profile("tried", sts=True)


@pytest.fixture(autouse=True)
def _kept(database):
    """A profile that is kept; on SQLite a transaction locks the file from its beginning."""
    keep_profile(PLACE, ADDRESS, TRIED)
    with writers_wait():
        yield
        db.session.rollback()
    forget_kept_profile(PLACE)


def test_in_a_transaction_nobody_waits_for_oneself(database):
    db.session.add(StoreProfile(place="s3://other", abilities={}))
    db.session.flush()
    assert kept_profile(PLACE, ADDRESS) == TRIED
    db.session.rollback()
    assert db.session.get(StoreProfile, "s3://other") is None


def test_what_others_have_not_written_yet_stays_unwritten(database):
    db.session.execute(db.select(StoreProfile)).all()
    db.session.add(StoreProfile(place="s3://other", abilities={}))
    assert kept_profile(PLACE, ADDRESS) == TRIED
    assert len(db.session.new) == 1


def test_without_a_transaction_none_is_left_open(database):
    db.session.commit()
    assert kept_profile(PLACE, ADDRESS) == TRIED
    assert not db.session().in_transaction()
