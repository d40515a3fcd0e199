# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads as the database and the store have them."""

from __future__ import annotations

import uuid

from invenio_accounts.proxies import current_datastore
from invenio_db import db

from oarepo_s3.models import Upload

MIB = 2**20


def state_of(upload):
    db.session.expire_all()
    return db.session.get(Upload, uuid.UUID(upload["id"])).state


def email_of(person):
    return db.session.get(current_datastore.user_model, person.user_id).email


def ids(listed):
    return [upload["id"] for upload in listed["uploads"]]
