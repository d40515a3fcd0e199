# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 sync``: what other tools have put into a bucket becomes versions."""

from __future__ import annotations

import json
from typing import Any

import click
from invenio_s3.cli import s3

from ..core.names import fit_name
from ..services import Change, SyncCounts, sync_scope
from .output import dry_run_option, json_option, operator_command

SIGNS = {"new": "+", "changed": "~", "gone": "-", "skipped": "!"}


class _Lines:
    """Print changes as they come, since there may be millions of them.

    :param as_json: print one document all the same, ``{"changes": [...], ...}``.
    :param all_of_them: whether to print more than what was skipped.
    """

    def __init__(self, *, as_json: bool, all_of_them: bool) -> None:
        self._as_json = as_json
        self._all_of_them = all_of_them
        self._printed = 0

    def change(self, change: Change) -> None:
        """Print a change."""
        if not (self._all_of_them or change.kind == "skipped"):
            return
        if self._as_json:
            click.echo(f"{',' if self._printed else self._begin()}\n  ", nl=False)
            given = {name: value for name, value in change._asdict().items() if value is not None}
            click.echo(json.dumps(given), nl=False)
        else:
            # A name may hold what a terminal obeys.
            reason = f": {change.reason}" if change.reason else ""
            click.echo(f"{SIGNS[change.kind]} {fit_name(change.key)}{reason}")
        self._printed += 1

    def end(self, data: dict[str, Any]) -> None:
        """Print the rest of the document."""
        begun = "\n]" if self._printed else f"{self._begin()}]"
        click.echo(f"{begun},\n{json.dumps(data, indent=2)[2:]}")

    def _begin(self) -> str:
        return '{"changes": ['


@s3.command("sync")
@click.argument("scope", metavar="SCOPE|LOCATION[:PREFIX]")
@click.option("--delete", is_flag=True, help="Make delete markers of what is gone.")
@dry_run_option
@json_option
@operator_command
def sync(scope: str, delete: bool, dry_run: bool, as_json: bool) -> None:
    """Make versions of what other tools have put into SCOPE, and changed in it.

    A prefix that was never synced becomes a scope, with a bucket whose id is printed. No content is
    copied or read. With --dry-run each difference has a line: + new, ~ changed, - gone, and ! for
    what cannot be a file.
    """
    lines = _Lines(as_json=as_json, all_of_them=dry_run)
    counts = sync_scope(scope, delete=delete, dry_run=dry_run, report=lines.change)
    if as_json:
        lines.end({**counts.as_dict(), "dry_run": dry_run})
    else:
        click.echo(_sentence(counts, dry_run=dry_run))


def _sentence(counts: SyncCounts, *, dry_run: bool) -> str:
    gone = f"{counts.deleted} deleted" if counts.deleted else f"{counts.gone} gone"
    numbers = (
        f"{counts.added} new, {counts.changed} changed, {gone}, {counts.unchanged} unchanged,"
        f" {counts.known} known otherwise, {counts.skipped} skipped"
    )
    where = f"bucket {counts.bucket}" if counts.bucket else "a new bucket"
    return f"{counts.scope}, {where}{' (dry run)' if dry_run else ''}: {numbers}"
