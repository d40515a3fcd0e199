# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Sync many scopes, one after another."""

from __future__ import annotations

import logging

from ..core.errors import UploadError
from .scopes import get_scope, list_scopes
from .sync import sync_scope
from .sync_counts import SyncCounts, SyncTotals
from .transactions import end_transaction, roll_back

logger = logging.getLogger(__name__)


def sync_all(name: str | None = None, *, delete: bool = False) -> SyncTotals:
    """Sync all scopes, or one by its name; one that fails does not stop the others.

    :param delete: make delete markers of what is gone.
    :raises ScopeNotFound: when there is no scope with that name.
    """
    names = [scope.name for scope in ([get_scope(name)] if name is not None else list_scopes())]
    end_transaction()
    totals = SyncTotals()
    for each in names:
        counts = _attempt(each, delete=delete)
        if counts is None:
            totals.failed.append(each)
        else:
            totals.scopes += 1
            totals.add(counts)
    return totals


def _attempt(name: str, *, delete: bool) -> SyncCounts | None:
    """Sync one scope; whatever it raises, the others have to go on."""
    try:
        return sync_scope(name, delete=delete)
    except UploadError as error:
        logger.warning(
            "The scope %s could not be synced (%s): %s",
            name,
            error.code,
            error,
            extra={"action": "sync_failed", "scope": name, "code": error.code},
        )
    except Exception:
        # Of another library, or a fault of ours; the next run tries again.
        logger.exception(
            "The scope %s could not be synced.",
            name,
            extra={"action": "sync_failed", "scope": name},
        )
    roll_back()
    return None
