# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Records that keep a list of their files in their own metadata.

invenio-records-files does (``record["_files"]``), and writes it whenever a file is assigned or
deleted by the record. Completing and aborting an upload change the bucket alone, so the list has to
be written again afterwards. Nothing is imported of that package: its records are known by what they
can do.
"""

from __future__ import annotations

import logging
from copy import deepcopy
from typing import Any

import sqlalchemy as sa
from invenio_db import db
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError

from .transactions import committing, end_transaction

logger = logging.getLogger(__name__)


def refresh_files(record: Any) -> None:
    """Write a record's list of files again, if it keeps one and it is not what the bucket holds.

    Comes after the transaction that ended the upload, in one of its own: what a record makes of a
    change (validation, receivers) must not undo the upload. A record that does not take the change
    is logged, and the upload has ended all the same; a repeated call tries again.

    :param record: as the address names it; it is read anew, under a lock.
    :raises OperationalError: when the database is away; so for the driver's other errors.
    """
    if getattr(record, "model", None) is None or not hasattr(record.files, "flush"):
        return
    record_id = record.id
    end_transaction()
    try:
        with committing():
            _refresh(type(record), record_id)
    except (OperationalError, InterfaceError, PendingRollbackError):
        raise
    except Exception:
        logger.exception(
            "A record did not take the change of its files.",
            extra={"action": "record_not_refreshed", "record": str(record_id)},
        )


def _refresh(record_class: Any, record_id: Any) -> None:
    # Not by get(): that complains of a row that another request has changed meanwhile.
    row = db.session.scalars(
        sa.select(record_class.model_cls)
        .where(record_class.model_cls.id == record_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None or row.json is None:
        # Deleted meanwhile.
        return
    record = record_class.get_record(record_id)
    # The entries themselves are changed when they are written anew.
    before = deepcopy(record.get("_files"))
    record.files.flush()
    if record.get("_files") != before:
        record.commit()
