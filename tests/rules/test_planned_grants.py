# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What keys would be asked for: said without a row, and without a question to the store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from invenio_db import db

from oarepo_s3.backends.memory import MemoryStore
from oarepo_s3.core.errors import InvalidRequest, NoUploadRole, UploadNotPending
from oarepo_s3.models import Grant
from oarepo_s3.services import (
    NewScope,
    abort_upload,
    create_scope,
    grant_scope,
    grant_upload,
    plan_scope_grant,
    plan_upload_grant,
)

ROLE = "arn:aws:iam:::role/uploader"


@pytest.fixture(autouse=True)
def _role(app, database, monkeypatch):
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", ROLE)


@pytest.fixture
def asked(memory, monkeypatch):
    """How the store was asked for keys."""
    calls, issue = [], MemoryStore.issue_credentials

    def issue_credentials(store, **wish):
        calls.append(wish)
        return issue(store, **wish)

    monkeypatch.setattr(MemoryStore, "issue_credentials", issue_credentials)
    return calls


@pytest.fixture
def scope(memory, location):
    """A scope in the location."""
    return create_scope(NewScope("user.name:planned", "default"))


def grants():
    return db.session.scalar(db.select(db.func.count()).select_from(Grant))


def test_a_plan_is_what_the_grant_asks_for(begin, scope, asked):
    upload, before = begin(), grants()
    plans = [
        plan_upload_grant(upload, lifetime=900),
        plan_scope_grant(scope, user_id=None, lifetime=900),
    ]
    db.session.commit()
    assert (asked, grants() - before) == ([], 0)
    assert (upload.form_uri, upload.form_until) == (None, None)
    issued = [
        grant_upload(upload, user_id=None, lifetime=900),
        grant_scope(scope, user_id=None, lifetime=900),
    ]
    for plan, grant, wish in zip(plans, issued, asked, strict=True):
        assert plan.place == grant.place
        assert (plan.role, plan.policy) == (wish["role"], wish["policy"])
        assert plan.lifetime == wish["lifetime"] == timedelta(minutes=15)


def test_what_a_grant_refuses_is_not_planned(app, begin, scope, monkeypatch):
    upload = begin()
    with pytest.raises(InvalidRequest):
        plan_scope_grant(scope, user_id=None, lifetime=899)
    with pytest.raises(InvalidRequest):
        plan_upload_grant(upload, lifetime=43_201)
    abort_upload(upload)
    with pytest.raises(UploadNotPending):
        plan_upload_grant(upload)
    monkeypatch.setitem(app.config, "OAREPO_S3_UPLOAD_ROLE", None)
    with pytest.raises(NoUploadRole):
        plan_scope_grant(scope, user_id=None)
