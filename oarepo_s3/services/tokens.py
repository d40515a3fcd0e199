# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Upload tokens: issue, read and revoke them, and remove what has run out."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

import sqlalchemy as sa
from invenio_db import db

from ..core.errors import TokenNotFound, TokenNotValid
from ..core.hidden import Hidden
from ..core.times import utcnow
from ..models import UploadToken
from ..proxies import current_s3
from .transactions import committing


@dataclass(frozen=True, slots=True)
class IssuedToken:
    """A token with its text, which is seen this once and never again."""

    row: UploadToken
    text: str = field(repr=False)


def issue_token(
    user_id: int,
    *,
    bucket_id: UUID | None = None,
    record_service: str | None = None,
    record_pid: str | None = None,
    lifetime: int | None = None,
) -> IssuedToken:
    """Issue a token for a bucket, or for the files of a draft.

    :param user_id: who asks for it; its bearer acts as this user.
    :param lifetime: seconds for which it shall work; more than the configured maximum is not given.
        None for the configured time.
    """
    settings = current_s3.settings
    most = settings.token_max_lifetime.total_seconds()
    wish = settings.token_lifetime.total_seconds() if lifetime is None else lifetime
    # In whole seconds, as the text says it.
    now = utcnow().replace(microsecond=0)
    row = UploadToken(
        id=uuid.uuid4(),
        user_id=user_id,
        bucket_id=bucket_id,
        record_service=record_service,
        record_pid=record_pid,
        created_at=now,
        expires_at=now + timedelta(seconds=min(wish, most)),
    )
    text = Hidden(current_s3.token_signer.write(row.id, row.expires_at))
    with committing():
        db.session.add(row)
    return IssuedToken(row, text)


def read_token(text: str) -> UploadToken:
    """Return what a token stands for.

    :raises TokenNotValid: when it is forged, expired, revoked or removed.
    """
    token = db.session.get(UploadToken, current_s3.token_signer.read(text), populate_existing=True)
    if token is None:
        raise TokenNotValid(reason="it is not known here")
    if token.revoked_at is not None:
        raise TokenNotValid(reason="it was revoked")
    return token


def revoke_token(token_id: UUID, user_id: int) -> None:
    """Let a token open nothing any more; nothing happens the second time.

    :param user_id: who asks: nobody else learns that there is such a token.
    :raises TokenNotFound: when there is none of this user.
    """
    with committing():
        token = db.session.get(UploadToken, token_id, populate_existing=True)
        if token is None or token.user_id != user_id:
            raise TokenNotFound()
        token.revoked_at = token.revoked_at or utcnow()


def remove_expired_tokens() -> int:
    """Remove the rows of tokens that have run out; return how many there were.

    A revoked one stays until then: without its row it would be as good as forgotten, not revoked.
    """
    with committing():
        return db.session.execute(
            sa.delete(UploadToken)
            .where(UploadToken.expires_at <= utcnow())
            .execution_options(synchronize_session=False)
        ).rowcount
