# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Celery tasks, for the beat schedule."""

from __future__ import annotations

from typing import Any

from celery import shared_task

from .services import (
    recover_interrupted,
    remove_expired_tokens,
    remove_old_grants,
    sweep_expired,
    sweep_orphans,
    sync_all,
    verify_declared,
)


@shared_task
def cleanup_expired_multipart_uploads() -> dict[str, int]:
    """Drop uploads whose time has run out: at the store, in the bucket and in the quota.

    Upload tokens whose time has run out go as well, and so do the rows of temporary keys that ended
    long ago; nobody is told how many.

    :returns: how many were ``expired``, ``aborted`` and ``failed`` (tried again next time).
    """
    remove_expired_tokens()
    remove_old_grants()
    return sweep_expired().as_dict()


@shared_task
def recover_interrupted_multipart_uploads() -> dict[str, int]:
    """Finish completions and aborts that a crash or an outage has interrupted, and complete what
    clients have sent by forms.

    :returns: how many were ``completed``, ``aborted``, ``lost`` (the store has nothing of them) and
        ``failed`` (tried again next time).
    """
    return recover_interrupted().as_dict()


@shared_task
def sweep_orphaned_multipart_uploads(dry_run: bool = True) -> dict[str, Any]:
    """Find multipart uploads that the stores hold and no session knows; abort them on demand.

    :param dry_run: False to abort what is found.
    :returns: how many were ``found``, ``aborted`` and ``failed``, the ``bytes`` that they hold, and
        the names of the locations about which nothing is known (``unlisted``).
    """
    return sweep_orphans(dry_run=dry_run).as_dict()


@shared_task
def verify_declared_checksums() -> dict[str, int]:
    """Read the files whose declared checksum nobody has compared yet; takes as long as that takes.

    :returns: how many were ``verified``, ``mismatched`` and ``failed`` (read again next time).
    """
    return verify_declared().as_dict()


@shared_task
def sync_scopes(name: str | None = None, delete: bool = False) -> dict[str, Any]:
    """Make versions of what others have put into the scopes, and changed in them.

    :param name: of one scope; None for all of them.
    :param delete: True to make delete markers of what is gone.
    :returns: how many ``scopes`` went through and the names of those that ``failed`` (tried again
        next time), and of all objects how many were ``unchanged``, ``added``, ``changed``,
        ``deleted``, ``gone`` (and not deleted), ``known`` and ``skipped``.
    """
    return sync_all(name, delete=delete).as_dict()
