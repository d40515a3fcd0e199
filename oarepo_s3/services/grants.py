# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys for tools that want keys: for the file of one upload, or for a scope.

Keys that were handed out cannot be taken back: they end with their time. So those for an upload
never open its final place, where they could put something else in the place of the verified file.
They open the object that a form of the upload would make (:mod:`.forms`), and completing copies it.

Each grant is a row, committed before the store is asked: whoever reads the store's logs finds there
the id of the row (as the session's name) and the access key, and here who had them. Neither the
secret nor the token is kept.
"""

from __future__ import annotations

import logging
import uuid
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from invenio_db import db

from ..backends import IssuesCredentials, TakesForms, expecting
from ..core.credentials import Credentials
from ..core.errors import (
    FormNotPossible,
    InvalidRequest,
    KeysNotPossible,
    NoUploadRole,
    StoreMisconfigured,
    UploadLost,
)
from ..core.policies import session_policy
from ..core.times import utcnow
from ..core.uris import ObjectURI
from ..models import Grant, Scope, Upload
from ..proxies import current_s3
from .buckets import require_open_bucket
from .forms import form_uri, stage
from .parts import require_pending
from .scopes import locations_in, scope_uri
from .transactions import committing

logger = logging.getLogger(__name__)

SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=12)
"""How long temporary keys can live (STS API reference, AssumeRole)."""

_TOO_LONG = {"InvalidArgument", "ValidationError"}
"""What stores say to a lifetime that is longer than the role allows."""


@dataclass(frozen=True, slots=True)
class GrantedPlace:
    """What keys open, and all that the configuration of a client needs beside them.

    :param endpoint_url: as clients see it.
    :param key: of the one object; None for keys to a prefix.
    :param prefix: what keys of objects have to begin with; it ends in a slash. None for keys to
        one object.
    :param profile_name: the kind of store, as in ``OAREPO_S3_PROFILE``.
    """

    endpoint_url: str
    region: str
    bucket: str
    key: str | None
    prefix: str | None
    profile_name: str


@dataclass(frozen=True, slots=True)
class IssuedGrant:
    """A grant with its keys, which are seen this once and never again."""

    row: Grant
    credentials: Credentials
    place: GrantedPlace


def grant_upload(
    upload: Upload, *, user_id: int | None, lifetime: int | None = None
) -> IssuedGrant:
    """Hand out keys that send the file of an open upload, and nothing else.

    :param user_id: who asks; None for an operator.
    :param lifetime: seconds for which they shall work, 900 to 43,200; None for the configured time,
        or as long as the upload may take, if that is less.
    :raises InvalidRequest: for a lifetime that is not possible.
    :raises NoUploadRole: when the server has no role to make keys of.
    :raises KeysNotPossible: when the store cannot narrow keys, or copy what they send.
    :raises UploadNotPending: when the upload takes nothing any more.
    :raises UploadExpired: when its time has run out.
    :raises StoreError: when the store hands out none.
    """
    plan = plan_upload_grant(upload, lifetime=lifetime)
    with committing():
        stage(upload, utcnow() + plan.lifetime)
        row = _row(user_id, plan, upload_id=upload.id)
        session = str(row.id)
    return plan.issue(row, session)


def plan_upload_grant(upload: Upload, *, lifetime: int | None = None) -> PlannedGrant:
    """Return what :func:`grant_upload` would ask the store for; nothing is asked, and nothing
    written.

    It raises what that raises, but for errors of the store.
    """
    now = utcnow()
    role, time = _require_role(), _lifetime(lifetime)
    require_pending(upload, now)
    if upload.store_upload_id is None:
        raise UploadLost(reason="it was never opened there")
    store = current_s3.store(upload.uri)
    if not (isinstance(store, TakesForms) and store.profile.forms):
        raise KeysNotPossible(reason="the object store is not known to copy objects into parts")
    if lifetime is None:
        time = max(SHORTEST, min(time, upload.expires_at - now))
    try:
        uri = form_uri(upload)
    except FormNotPossible as error:
        raise KeysNotPossible(**error.context) from error
    return PlannedGrant.of(uri, store, role, time, wished=lifetime is not None)


def grant_scope(scope: Scope, *, user_id: int | None, lifetime: int | None = None) -> IssuedGrant:
    """Hand out keys that read and write what is below the prefix of a scope.

    :param user_id: who asks; None for an operator.
    :param lifetime: as for :func:`grant_upload`.
    :raises InvalidRequest: for a lifetime that is not possible.
    :raises NoUploadRole: when the server has no role to make keys of.
    :raises BucketNotFound: when the bucket of the scope is gone.
    :raises BucketLocked: when it takes no changes: the objects below the prefix are its files.
    :raises KeysNotPossible: when the store cannot narrow keys, or a location lies in the scope.
    :raises StoreError: when the store hands out none.
    """
    plan = plan_scope_grant(scope, user_id=user_id, lifetime=lifetime)
    with committing():
        row = _row(user_id, plan, scope_id=scope.id)
        session = str(row.id)
    return plan.issue(row, session)


def plan_scope_grant(
    scope: Scope, *, user_id: int | None, lifetime: int | None = None
) -> PlannedGrant:
    """Return what :func:`grant_scope` would ask the store for; else as above."""
    role, time = _require_role(), _lifetime(lifetime)
    require_open_bucket(scope.bucket_id)
    uri = scope_uri(scope)
    if user_id is not None and locations_in(uri):
        # One that was made after the scope: its files are not the owner's to read and replace.
        raise KeysNotPossible(reason="Invenio itself keeps files of a location there")
    return PlannedGrant.of(uri, current_s3.store(uri), role, time, wished=lifetime is not None)


def remove_old_grants() -> int:
    """Remove the rows of grants that have ended long ago; return how many there were."""
    before = utcnow() - current_s3.settings.grant_retention
    with committing():
        return db.session.execute(
            sa.delete(Grant)
            .where(Grant.expires_at <= before)
            .execution_options(synchronize_session=False)
        ).rowcount


@dataclass(frozen=True, slots=True)
class PlannedGrant:
    """What the store is asked for, in plain values: no transaction is open meanwhile.

    :param role: ARN of the role that the keys are made of.
    :param target: URI of the object; or of a prefix, and then it ends in a slash.
    :param wished: whether the client itself has chosen the lifetime.
    """

    store: IssuesCredentials
    role: str
    policy: dict[str, Any]
    place: GrantedPlace
    target: str
    lifetime: timedelta
    wished: bool

    @classmethod
    def of(
        cls, target: str, store: object, role: str, lifetime: timedelta, *, wished: bool
    ) -> PlannedGrant:
        """Narrow the role to a target.

        :raises KeysNotPossible: when the store or the target does not allow it.
        """
        if not isinstance(store, IssuesCredentials):
            raise KeysNotPossible(reason="the back end of the store issues none")
        path = ObjectURI.parse(target).key
        to_one = not target.endswith("/")
        address = store.address
        # Within its own tenant a role knows a bucket of Ceph by its plain name, as most tools do.
        bucket = address.bucket.removeprefix(f"{_account(role)}:")
        narrowed = {"key": path} if to_one else {"prefix": path}
        try:
            policy = session_policy(bucket, **narrowed)
        except InvalidRequest as error:
            raise KeysNotPossible(**error.context) from error
        place = GrantedPlace(
            address.endpoint_url,
            address.region,
            bucket,
            key=path if to_one else None,
            prefix=None if to_one else path,
            profile_name=store.profile.name,
        )
        return cls(store, role, policy, place, target, lifetime, wished)

    def issue(self, row: Grant, session: str) -> IssuedGrant:
        """Ask the store, and write down which keys it has made.

        :param row: committed; to look at it before the store has answered would open a transaction.
        :param session: its id, by which the store's log names it.
        """
        try:
            with expecting(_TOO_LONG if self.wished else ()):
                credentials = self.store.issue_credentials(
                    role=self.role, session_name=session, policy=self.policy, lifetime=self.lifetime
                )
        except StoreMisconfigured as error:
            if self.wished and error.context.get("reason") in _TOO_LONG:
                seconds = int(self.lifetime.total_seconds())
                raise InvalidRequest(
                    reason=f"the store gives no keys for {seconds} seconds; ask for fewer"
                ) from error
            raise
        with committing():
            row.access_key = credentials.access_key
            row.expires_at = credentials.expires_at or row.expires_at
        logger.info(
            "Temporary keys were handed out.",
            extra={"action": "keys_granted", "grant": session, "target": self.target},
        )
        return IssuedGrant(row, credentials, self.place)


def _row(user_id: int | None, plan: PlannedGrant, **what: uuid.UUID) -> Grant:
    now = utcnow()
    row = Grant(
        id=uuid.uuid4(),
        user_id=user_id,
        target=plan.target,
        created_at=now,
        expires_at=now + plan.lifetime,
        **what,
    )
    db.session.add(row)
    return row


def _require_role() -> str:
    role = current_s3.settings.upload_role
    if not role:
        raise NoUploadRole()
    return role


def _account(role: str) -> str:
    """Return the account in the ARN of a role: at Ceph, its tenant."""
    pieces = role.split(":")
    return pieces[4] if len(pieces) > 4 else ""


def _lifetime(wish: int | None) -> timedelta:
    if wish is None:
        return current_s3.settings.grant_lifetime
    shortest, longest = int(SHORTEST.total_seconds()), int(LONGEST.total_seconds())
    if not shortest <= wish <= longest:
        raise InvalidRequest(
            reason=f"keys live for {shortest} to {longest} seconds, not for {wish}"
        )
    return timedelta(seconds=wish)
