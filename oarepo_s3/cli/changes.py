# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How commands tell of what they change at a store, and what to do when they may not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from ..core.errors import StoreDenied, StoreMisconfigured
from ..provisioning.buckets import LACKING, Creation
from ..provisioning.merging import Change, OthersChanged
from .output import say

TITLES = {"public_access_block": "Public access block", "lifecycle": "Lifecycle rules"}
"""What the documents are called that a bucket gets when it is made."""

ABSENT = {"NoSuchBucket", "NoSuchEntity"}
"""Reasons by which stores say that what is to be changed is not there."""

NO_NAME = {"InvalidBucketName", "ParamValidationError"}
"""Reasons by which stores, and the SDK, say that no bucket can have a name."""

OTHER_KEYS = (
    "The server's own keys need not administer anything: give others for this one command, in the"
    " environment as INVENIO_S3_ACCESS_KEY_ID and INVENIO_S3_SECRET_ACCESS_KEY."
)


@contextmanager
def administering(instead: str, absent: str | None = None) -> Iterator[None]:
    """Call the store in the block as its operator; say what to do when it refuses.

    :param instead: what to do where the store does not know the call.
    :param absent: what to say when there is no such bucket, user or role.
    """
    try:
        yield
    except OthersChanged as error:
        raise click.ClickException(str(error)) from error
    except StoreDenied as error:
        raise click.ClickException(f"{error} ({error.code})\n{OTHER_KEYS}") from error
    except StoreMisconfigured as error:
        reason = error.context.get("reason")
        if reason in ABSENT and absent:
            raise click.ClickException(absent) from error
        if reason in NO_NAME:
            raise click.ClickException(f"No bucket can have that name ({reason}).") from error
        if reason not in LACKING:
            raise
        raise click.ClickException(f"The store does not know this. {instead}") from error


def say_change(what: str, change: Change, *, dry_run: bool, as_json: bool) -> None:
    """Print what was changed, or would be."""
    say(
        change_lines(what, change, dry_run=dry_run),
        change_data(what, change, dry_run=dry_run),
        as_json=as_json,
    )


def change_lines(what: str, change: Change, *, dry_run: bool) -> Iterator[str]:
    """Yield a change for people: one sentence, and the difference."""
    if not change.needed:
        yield f"{what}: already as it should be."
        return
    yield f"{what}: would be changed." if dry_run else f"{what}: changed."
    yield from change.difference()


def creation_lines(name: str, made: Creation, *, dry_run: bool) -> Iterator[str]:
    """Yield for people what was done to a bucket, or would be."""
    if not made.created:
        yield f"Bucket {name}: there already."
    else:
        yield f"Bucket {name}: would be made." if dry_run else f"Bucket {name}: made."
    for change in made.changes:
        # The differences are what a dry run is for.
        said = list(change_lines(TITLES[change.kind], change, dry_run=dry_run))
        yield from said if dry_run else said[:1]
    yield from made.notes


def change_data(what: str, change: Change, *, dry_run: bool) -> dict[str, Any]:
    """Return a change for machines."""
    return {
        "what": what,
        "needed": change.needed,
        "changed": change.needed and not dry_run,
        "dry_run": dry_run,
        "before": change.before,
        "after": change.after,
    }
