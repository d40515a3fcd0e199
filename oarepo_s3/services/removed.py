# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""End the uploads of files that were removed from their records.

A record stack removes a file, all files or a whole draft in several ways, some of them by bulk
statements, and none tells us. So nothing is asked of the stack: whenever a transaction that may
have removed a file has been committed, the open uploads of records are compared with what is left.
The sweep does the same, for a process that died in between, or a store that did not answer.
"""

from __future__ import annotations

import logging
from typing import Any

import sqlalchemy as sa
from flask import has_app_context
from invenio_db import db
from invenio_files_rest.models import Bucket, ObjectVersion
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import ORMExecuteState, Session, SessionTransaction

from ..core.states import UploadState
from ..models import Upload
from .abort import abort_upload
from .batches import attempt
from .transactions import end_transaction, roll_back

logger = logging.getLogger(__name__)

LOOK = "oarepo-s3-files-removed"
"""Mark on a session whose transaction may have removed files."""

COMMITTED = "oarepo-s3-committed"
"""Mark on a session whose outermost transaction has just been committed."""


def file_removed() -> sa.ColumnElement[bool]:
    """SQL: uploads of records whose file is not in its bucket any more, or not under its key."""
    in_use = sa.exists().where(
        ObjectVersion.version_id == Upload.version_id, ObjectVersion.is_head.is_(True)
    )
    return sa.and_(Upload.record_pid.is_not(None), ~in_use)


def abort_removed() -> int:
    """Abort the open uploads of records whose file was removed; return how many there were.

    A store that does not answer stops nobody from removing a file: what could not be dropped is
    logged, and tried again by the recovery.
    """
    found = db.session.scalars(
        sa.select(Upload).where(
            Upload.state.in_([UploadState.PENDING.value, UploadState.COMPLETING.value]),
            file_removed(),
        )
    ).all()
    return sum(attempt(abort_upload, upload) for upload in found)


@sa.event.listens_for(Session, "do_orm_execute")
def _note_bulk_delete(state: ORMExecuteState) -> None:
    mapper = state.bind_mapper if state.is_delete else None
    if mapper is not None and mapper.class_ in (Bucket, ObjectVersion):
        state.session.info[LOOK] = True


@sa.event.listens_for(Session, "after_flush")
def _note_delete_marker(session: Session, context: Any) -> None:
    if any(isinstance(new, ObjectVersion) and new.file_id is None for new in session.new):
        session.info[LOOK] = True


@sa.event.listens_for(Session, "after_commit")
def _note_commit(session: Session) -> None:
    if LOOK in session.info and not session.in_nested_transaction():
        session.info[COMMITTED] = True


@sa.event.listens_for(Session, "after_transaction_end")
def _look(session: Session, transaction: SessionTransaction) -> None:
    """Look once the outermost transaction is over: only then may the session be used again."""
    if transaction.parent is not None or LOOK not in session.info:
        return
    del session.info[LOOK]
    committed = session.info.pop(COMMITTED, False)
    if not (committed and has_app_context() and session is db.session()):
        return
    try:
        abort_removed()
        # Nobody expects a transaction to be open after a commit.
        end_transaction()
    except SQLAlchemyError as error:
        # What the caller has committed stands.
        logger.warning(
            "Uploads of removed files could not be looked for (%s); the sweep does it.",
            type(error).__name__,
            extra={"action": "look_failed"},
        )
        roll_back()
