# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 uploads``: the sessions, the store's side of them, and the tasks by hand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

import click
from invenio_s3.cli import s3

from ..core.errors import InvalidLocation, StoreError, UploadError
from ..core.names import fit_name
from ..core.quantities import show_count, show_size
from ..core.states import FINAL_STATES, UploadState
from ..services import (
    OwnedUpload,
    RecoverCounts,
    StoreSide,
    SweepCounts,
    UploadFilter,
    abort_upload,
    all_uploads,
    due_for_recovery,
    due_for_sweep,
    find_owners,
    find_user_id,
    get_upload,
    look_at_store,
    recover_interrupted,
    remove_expired_tokens,
    sum_uploads,
    sweep_expired,
    sweep_orphans,
)
from .output import dry_run_option, json_option, operator_command, say
from .rows import dump_owned, owner_name, print_uploads
from .values import as_duration, as_size

MAX_DIGITS = 10
"""Digits of an id of a user; not every database takes the question for a longer one."""


@s3.group()
def uploads() -> None:
    """Multipart uploads: the sessions, and what the store has of them."""


@uploads.command("list")
@click.option(
    "--state",
    "states",
    multiple=True,
    type=click.Choice([state.value for state in UploadState]),
    help="Only those in this state; may be given several times.",
)
@click.option("--user", metavar="EMAIL|ID", help="Only those that this user has begun.")
@click.option("--bucket", type=click.UUID, help="Only those into this bucket of files.")
@click.option(
    "--older-than",
    metavar="TIME",
    callback=as_duration,
    help="Only those begun so long ago: 90m, 12h, 2d, 1w.",
)
@click.option(
    "--larger-than",
    metavar="SIZE",
    callback=as_size,
    help="Only those of more bytes: 1000, 16MiB, 5GiB.",
)
@click.option("--expired", is_flag=True, help="Only those over time that have not ended.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many, the newest.")
@json_option
@operator_command
def list_all(
    states: Sequence[str],
    user: str | None,
    bucket: UUID | None,
    older_than: timedelta | None,
    larger_than: int | None,
    expired: bool,
    limit: int | None,
    as_json: bool,
) -> None:
    """List uploads, newest first, with what the open ones hold."""
    wanted = UploadFilter(
        states=[UploadState(state) for state in states],
        user_id=_user_id(user),
        bucket_id=bucket,
        older_than=older_than,
        larger_than=larger_than,
        expired=expired,
    )
    conditions = list(wanted.conditions())
    sums = None if limit is None else sum_uploads(*conditions)
    print_uploads(all_uploads(*conditions, limit=limit), as_json=as_json, sums=sums)


def _user_id(named: str | None) -> int | None:
    """Return the id of the user who was named; an id may be that of somebody who is gone."""
    if named is None:
        return None
    if named.isdecimal() and len(named) <= MAX_DIGITS:
        return int(named)
    found = find_user_id(named)
    if found is None:
        raise click.ClickException(f"There is no user {named}.")
    return found


@uploads.command()
@click.argument("upload_id", metavar="ID", type=click.UUID)
@json_option
@operator_command
def show(upload_id: UUID, as_json: bool) -> None:
    """Show an upload, and what the store has of it.

    The row is shown, and the status is 1, when the store does not answer.
    """
    upload = get_upload(upload_id)
    owned = OwnedUpload(upload, find_owners([upload]).get(upload.user_id))
    fields, owner = dump_owned(owned), owner_name(owned)
    try:
        side: StoreSide | None = look_at_store(upload)
        complaint = None
    except (InvalidLocation, StoreError) as error:
        side, complaint = None, f"{error} ({error.code})"
    known = {**fields, "owner": owner}
    lines = [
        f"{name}: {fit_name(str(value))}" for name, value in known.items() if value is not None
    ]
    say(
        [*lines, *_store_lines(side)],
        {**fields, "store": side and asdict(side), "store_error": complaint},
        as_json=as_json,
    )
    if complaint:
        raise click.ClickException(complaint)


def _store_lines(side: StoreSide | None) -> Iterator[str]:
    if side is None:
        return
    if side.known:
        yield (
            f"at the store: {show_count(side.parts, 'part')} of {show_size(side.bytes)}"
            f" ({show_count(side.bytes, 'byte')}), the highest is {side.highest_part},"
            f" {side.missing_parts} {'is' if side.missing_parts == 1 else 'are'} missing"
        )
    else:
        yield "at the store: it does not know this multipart upload"
    if side.form:
        yield "form: the file has come by a form"
    if side.object is None:
        yield "object: none"
    else:
        whose = "made by this upload" if side.object.proved else "NOT made by this upload"
        size = show_count(side.object.size, "byte")
        yield f"object: {size}, ETag {side.object.etag}, {whose}"


@uploads.command()
@click.argument("upload_ids", metavar="ID...", type=click.UUID, nargs=-1, required=True)
@dry_run_option
@json_option
@operator_command
def abort(upload_ids: Sequence[UUID], dry_run: bool, as_json: bool) -> None:
    """Abort uploads: drop their parts, and give their room back.

    It may be repeated. One that cannot be aborted does not stop the others; the status is 1 then.
    """
    results = [_abort(upload_id, dry_run) for upload_id in upload_ids]
    refused = [result for result in results if "error" in result]
    say(
        [_abort_line(result, dry_run) for result in results if "error" not in result],
        {"dry_run": dry_run, "uploads": results},
        as_json=as_json,
    )
    if refused:
        raise click.ClickException(
            "\n".join(f"{result['id']}: {result['error']} ({result['code']})" for result in refused)
        )


def _abort(upload_id: UUID, dry_run: bool) -> dict[str, str]:
    try:
        upload = get_upload(upload_id)
        if not (dry_run and _can_be_aborted(upload.state)):
            upload = abort_upload(upload)
        return {"id": str(upload_id), "state": str(upload.state)}
    except UploadError as error:
        return {"id": str(upload_id), "code": error.code, "error": str(error)}


def _can_be_aborted(state: str) -> bool:
    """Whether an abort would change anything."""
    return UploadState(state) not in FINAL_STATES


def _abort_line(result: Mapping[str, str], dry_run: bool) -> str:
    would = dry_run and _can_be_aborted(result["state"])
    return f"{result['id']}: {'would be aborted' if would else result['state']}"


@uploads.command()
@dry_run_option
@json_option
@operator_command
def sweep(dry_run: bool, as_json: bool) -> None:
    """Drop uploads whose time has run out, as the task in the beat schedule does."""
    if dry_run:
        _list_due(due_for_sweep(), SweepCounts(), as_json=as_json)
        return
    remove_expired_tokens()
    _report(sweep_expired().as_dict(), as_json=as_json)


@uploads.command()
@dry_run_option
@json_option
@operator_command
def recover(dry_run: bool, as_json: bool) -> None:
    """Finish what was interrupted, and end what the store has lost, as the task does.

    A dry run lists the interrupted ones; what was lost or came by a form, only the store can tell.
    """
    if dry_run:
        _list_due(due_for_recovery(), RecoverCounts(), as_json=as_json)
        return
    _report(recover_interrupted().as_dict(), as_json=as_json)


@uploads.command()
@click.option("--abort", "end", is_flag=True, help="Abort them; without it they are only counted.")
@dry_run_option
@json_option
@operator_command
def orphans(end: bool, dry_run: bool, as_json: bool) -> None:
    """Find multipart uploads of this instance that a store holds and no session knows.

    The status is 1 as well when a store could not tell which uploads it has.
    """
    dry_run = dry_run or not end
    counts = sweep_orphans(dry_run=dry_run)
    _report(counts.as_dict(), dry_run=dry_run, as_json=as_json)
    if counts.unlisted:
        raise click.ClickException(
            f"Nothing is known of orphans in {', '.join(counts.unlisted)}: the store does not list"
            " uploads, or did not answer. The log says why."
        )


def _list_due(
    due: Iterator[OwnedUpload], counts: SweepCounts | RecoverCounts, *, as_json: bool
) -> None:
    """Print what a task would take; as JSON with all that it would say, and has not done."""
    print_uploads(due, as_json=as_json, more={"dry_run": True, **counts.as_dict()})


def _report(counts: Mapping[str, Any], *, dry_run: bool = False, as_json: bool) -> None:
    """Print what a task has done; the status is 1 when some of it failed."""
    said = {name: ", ".join(n) if isinstance(n, list) else n for name, n in counts.items()}
    say(
        [f"{name}: {value}" for name, value in said.items() if value != ""],
        {"dry_run": dry_run, **counts},
        as_json=as_json,
    )
    if counts["failed"]:
        raise click.ClickException(
            f"{counts['failed']} failed: the log says why. Run it again, or wait for the task."
        )
