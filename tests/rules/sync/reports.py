# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a sync of the tests' scope reports, and what it leaves in the database."""

from __future__ import annotations

import pytest
from invenio_files_rest.models import ObjectVersion

from oarepo_s3.services import sync_scope

NAME = "user:data"
PREFIX = "user/data"

ON_POSTGRES = pytest.mark.parametrize(
    "place", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)


def synced(name=NAME, **options):
    """Sync, and return the counts that are not 0."""
    counts = sync_scope(name, **options).as_dict()
    return {key: value for key, value in counts.items() if isinstance(value, int) and value}


def changes(name=NAME, **options):
    """Sync, and return what was reported, in signs."""
    found = []
    sync_scope(name, report=found.append, **options)
    return [f"{change.kind} {change.key} {change.size}" for change in found]


def heads(bucket_id):
    """The newest versions: None for a delete marker, else the size."""
    rows = ObjectVersion.get_by_bucket(bucket_id, with_deleted=True).all()
    return {row.key: row.file.size if row.file else None for row in rows}


def sum_of_versions(bucket_id):
    rows = ObjectVersion.get_by_bucket(bucket_id, versions=True).all()
    return sum(row.file.size for row in rows)
