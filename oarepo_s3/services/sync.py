# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Make a bucket of files-rest say what lies in a prefix of a store, without touching a byte of it.

Two ordered streams are compared, the store's list and the bucket's newest versions, so that memory
does not grow with their length. What differs is written page by page, each in a transaction of its
own; whatever stops a sync, the next one goes on. Of two at the same time each looks again with the
bucket locked, and the later one finds nothing to do.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import Literal, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from ..backends import ListsObjects
from ..core.errors import (
    BucketNotFound,
    InvalidKey,
    ScopeNotFound,
    StoreFault,
    StoreMisconfigured,
)
from ..core.merging import merge_join
from ..core.scopes import Place
from ..core.times import utcnow
from ..core.uris import ObjectURI
from ..models import Scope
from ..proxies import current_s3
from .create import check_key
from .external import Decision, Difference, Found, Missing, decide, write
from .heads import Head, heads_of
from .scopes import (
    create_scope_of_place,
    find_scope,
    is_invenios,
    locations_in,
    place_uri,
    scope_of_place,
    scope_uri,
)
from .sync_counts import SyncCounts
from .transactions import committing, end_transaction

logger = logging.getLogger(__name__)

PAGE = 500
"""How many differences are written in one transaction."""

MAX_ETAG = 250
"""Characters of an ETag: the checksum of a file has room for no more."""


class Change(NamedTuple):
    """What a sync did, or would do, about one key; ``reason`` says why a key was skipped."""

    kind: Literal["new", "changed", "gone", "skipped"]
    key: str
    size: int
    reason: str | None = None


Report = Callable[[Change], None]


@dataclass(frozen=True, slots=True)
class _Target:
    """Plain values: rows would have to be read again after each commit; see ``locations_in``."""

    name: str
    uri: str
    locations: list[str]
    scope_id: UUID | None
    bucket_id: UUID | None


def sync_scope(
    written: str,
    *,
    delete: bool = False,
    dry_run: bool = False,
    report: Report = lambda change: None,
) -> SyncCounts:
    """Make versions of what others have put into a scope, and changed in it.

    The store is asked for lists alone. A quota stops nothing: the bytes are there already. They
    count in the size of the bucket, as files-rest counts them.

    :param written: name of a scope, or ``LOCATION[:PREFIX]``: a place that was never synced becomes
        a scope with a new bucket.
    :param delete: make delete markers of what is gone.
    :param dry_run: find out what would be done, and write nothing.
    :param report: is told of each change, once it is committed, and of each key that was skipped.
    :raises ScopeNotFound: when there is neither such a scope nor such a location.
    :raises ScopeTaken: when the place overlaps with a scope.
    :raises BucketNotFound: when the bucket of the scope is gone.
    :raises BucketLocked: when it takes no changes.
    :raises StoreError: when the store does not list its objects; what was written stands.
    """
    target = _target(written, dry_run=dry_run)
    store = current_s3.store(target.uri)
    if not isinstance(store, ListsObjects):
        raise StoreMisconfigured(reason="NotImplemented")
    end_transaction()
    return _Sync(target, report, delete=delete, dry_run=dry_run).run(store)


def _target(written: str, *, dry_run: bool) -> _Target:
    """Find the scope that is meant, by its name or by its place; make one for a new place."""
    scope = find_scope(written)
    if scope is None:
        # PostgreSQL does not even take the question for a name with a NUL.
        if "\x00" in written or Location.get_by_name(written.partition(":")[0]) is None:
            raise ScopeNotFound()
        place = Place.parse(written)
        scope = scope_of_place(place) or create_scope_of_place(place, dry_run=dry_run)
    if scope is None:
        uri = place_uri(place)
        return _Target(str(place), uri, locations_in(uri), None, None)
    if Bucket.get(scope.bucket_id) is None:
        raise BucketNotFound()
    uri = scope_uri(scope)
    return _Target(scope.name, uri, locations_in(uri), scope.id, scope.bucket_id)


class _Sync:
    """One run: what it compares, and what it has counted so far."""

    def __init__(self, target: _Target, report: Report, *, delete: bool, dry_run: bool) -> None:
        self._target = target
        self._report = report
        self._delete = delete
        self._dry_run = dry_run
        self._since = utcnow()
        bucket_id = target.bucket_id
        self._counts = SyncCounts(scope=target.name, bucket=str(bucket_id) if bucket_id else None)

    def run(self, store: ListsObjects) -> SyncCounts:
        """Compare all of it."""
        with heads_of(self._target.bucket_id, self._target.uri) as heads:
            differences = self._differences(self._objects(store), heads)
            while page := list(islice(differences, PAGE)):
                for decision in self._settle(page):
                    self._tell(decision)
        if not self._dry_run:
            self._note_end()
        self._log()
        return self._counts

    def _objects(self, store: ListsObjects) -> Iterator[Found]:
        """Yield the objects that can be files, in the order of the store.

        :raises StoreFault: when the store has another order: what it lists late would seem gone.
        """
        prefix = ObjectURI.parse(self._target.uri).key
        last = None
        for listed in store.list_objects(prefix):
            key = listed.key.removeprefix(prefix)
            found = Found(
                key, f"{self._target.uri}{key}", listed.size, listed.etag, listed.modified
            )
            if "\ufffd" in key:
                # What a list in UTF-8 has in the place of other bytes: the key is another one.
                self._skip(found, "its name is not UTF-8")
            elif last is not None and key.encode() <= last:
                raise StoreFault(reason="KeysOutOfOrder")
            else:
                last = key.encode()
                yield found

    def _differences(self, found: Iterator[Found], heads: Iterator[Head]) -> Iterator[Difference]:
        """Yield what is gone when the list has ended: in a false order anything would seem so."""
        with TemporaryFile("w+", encoding="ascii") as gone:
            for one, head in merge_join(
                found, heads, lambda one: one.key.encode(), lambda head: head.key.encode()
            ):
                if one is None:
                    gone.write(f"{json.dumps(head.key)}\n" if head else "")
                elif reason := _unfit(one):
                    self._skip(one, reason)
                elif is_invenios(one.key, self._target.locations):
                    # Its file may not be in the database yet.
                    self._counts.known += 1
                elif head is not None and head.etag == one.etag:
                    self._counts.unchanged += 1
                else:
                    yield one
            gone.seek(0)
            for key in map(json.loads, gone):
                yield Missing(key, f"{self._target.uri}{key}")

    def _skip(self, found: Found, reason: str) -> None:
        self._counts.skipped += 1
        self._report(Change("skipped", found.key, found.size, reason))

    def _settle(self, page: list[Difference]) -> list[Decision]:
        """Write what has to be written; most differences of a second run need nothing."""
        decisions = list(decide(self._target.bucket_id, page, self._since))
        end_transaction()
        wanted = [each.difference for each in decisions if self._is_wanted(each)]
        if self._dry_run or not wanted or self._target.bucket_id is None:
            return decisions
        with committing():
            written = write(self._target.bucket_id, wanted, self._since)
        return written + [each for each in decisions if not self._is_wanted(each)]

    def _is_wanted(self, decision: Decision) -> bool:
        return decision.kind in ("new", "changed") or (decision.kind == "gone" and self._delete)

    def _tell(self, decision: Decision) -> None:
        """Count a decision, and report it if anything differs."""
        counts = self._counts
        match decision.kind:
            case "known":
                counts.known += 1
                return
            case "new":
                counts.added += 1
            case "changed":
                counts.changed += 1
            case "gone" if self._delete:
                counts.deleted += 1
            case "gone":
                counts.gone += 1
        self._report(Change(decision.kind, decision.difference.key, decision.size))

    def _note_end(self) -> None:
        with committing():
            db.session.execute(
                sa.update(Scope)
                .where(Scope.id == self._target.scope_id)
                .values(synced_at=utcnow())
                .execution_options(synchronize_session=False)
            )

    def _log(self) -> None:
        counts = self._counts.as_dict()
        logger.info(
            "%s %s: %s",
            "Compared" if self._dry_run else "Synced",
            counts["scope"],
            ", ".join(
                f"{count} {name}" for name, count in counts.items() if isinstance(count, int)
            ),
            extra={"action": "sync_compared" if self._dry_run else "sync_done", **counts},
        )


def _unfit(found: Found) -> str | None:
    """Say why an object cannot be a file, if it cannot."""
    if found.key.endswith("/") or not found.key:
        return "it is a folder" if not found.size else "its name ends in a slash"
    if not found.etag.strip() or ":" in found.etag or len(found.etag) > MAX_ETAG:
        return "the store gives it no ETag that can be kept"
    longest = current_app.config["FILES_REST_FILE_URI_MAX_LEN"]
    if len(found.uri) > longest:
        return f"its URI has {len(found.uri)} characters, {longest} are possible"
    try:
        check_key(found.key)
    except InvalidKey as error:
        return str(error.context["reason"])
    return None
