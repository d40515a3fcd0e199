# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 sync``: what other tools have put into a bucket becomes versions."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import IO, Any

import click
from invenio_s3.cli import s3

from ..core.names import fit_name
from ..services import Change, SyncCounts, sync_scope
from .output import dry_run_option, json_option, operator_command, printed_whole

SIGNS = {"new": "+", "changed": "~", "gone": "-", "skipped": "!"}


def _print_change(change: Change) -> None:
    """Print a change for people, at once: there may be millions of them."""
    # A name may hold what a terminal obeys.
    reason = f": {change.reason}" if change.reason else ""
    click.echo(f"{SIGNS[change.kind]} {fit_name(change.key)}{reason}")


class _Document:
    """The same for machines, ``{"changes": [...], ...}``, written as it comes.

    :param file: where to.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file
        self._between = "\n  "
        file.write('{"changes": [')

    def add(self, change: Change) -> None:
        """Write a change."""
        given = {name: value for name, value in change._asdict().items() if value is not None}
        self._file.write(f"{self._between}{json.dumps(given)}")
        self._between = ",\n  "

    def end(self, data: dict[str, Any]) -> None:
        """Write the rest."""
        self._file.write(f"\n],\n{json.dumps(data, indent=2)[2:]}\n")


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
    what cannot be a file. With --json all of it is one document, which is printed at the end; when
    the sync fails nothing is, and what was written until then stands.
    """

    def run(report: Callable[[Change], None]) -> SyncCounts:
        def tell(change: Change) -> None:
            if dry_run or change.kind == "skipped":
                report(change)

        return sync_scope(scope, delete=delete, dry_run=dry_run, report=tell)

    if not as_json:
        click.echo(_sentence(run(_print_change), dry_run=dry_run))
        return
    with printed_whole() as file:
        document = _Document(file)
        document.end({**run(document.add).as_dict(), "dry_run": dry_run})


def _sentence(counts: SyncCounts, *, dry_run: bool) -> str:
    gone = f"{counts.deleted} deleted" if counts.deleted else f"{counts.gone} gone"
    numbers = (
        f"{counts.added} new, {counts.changed} changed, {gone}, {counts.unchanged} unchanged,"
        f" {counts.known} known otherwise, {counts.skipped} skipped"
    )
    where = f"bucket {counts.bucket}" if counts.bucket else "a new bucket"
    return f"{counts.scope}, {where}{' (dry run)' if dry_run else ''}: {numbers}"
