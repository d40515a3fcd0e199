# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 credentials``: temporary keys, written for an S3 tool."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from uuid import UUID

import click
from invenio_s3.cli import s3

from ..core.credentials import Credentials
from ..core.errors import InvalidScope, ScopeNotFound
from ..core.scopes import Place
from ..core.times import isoformat, utcnow
from ..core.tool_configs import (
    FORMATS,
    ToolAccess,
    ToolConfigError,
    check_mergeable,
    document,
    merge,
    usage,
)
from ..models import Scope
from ..services import (
    GrantedPlace,
    IssuedGrant,
    PlannedGrant,
    find_scope,
    get_upload,
    grant_scope,
    grant_upload,
    plan_scope_grant,
    plan_upload_grant,
    scope_of_place,
)
from .output import dry_run_option, json_option, operator_command, say
from .private_file import PrivateFile, PrivateFileError

NO_KEYS = Credentials("no-key", "no-key", "no-key")
"""What a dry run has in the place of keys, to find out whether they could be written."""


@s3.command("credentials")
@click.argument("target", metavar="SCOPE|UPLOAD_ID|LOCATION[:PREFIX]")
@click.option(
    "--format", "format_", type=click.Choice(FORMATS), required=True, help="For what tool."
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Write to this file, which only you can read, instead of standard output.",
)
@click.option("--merge", "merges", is_flag=True, help="Keep what else is in the file.")
@click.option("--force", is_flag=True, help="Replace the file; with --merge, the one entry.")
@click.option("--name", help="Name of the entry; by default made of the scope or the upload.")
@click.option(
    "--lifetime",
    type=click.IntRange(min=1),
    metavar="SECONDS",
    help="How long the keys shall work: 900 to 43200, or as long as the role allows.",
)
@dry_run_option
@json_option
@operator_command
def credentials(
    target: str,
    format_: str,
    output: Path | None,
    merges: bool,
    force: bool,
    name: str | None,
    lifetime: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Hand out temporary keys to a scope or for an upload, written for an S3 tool.

    The server's own keys are never printed. A place in a location has keys when it is the place of
    a scope. With --dry-run no keys are asked for; --json is for what that prints.
    """
    if output is None and (merges or force):
        raise click.UsageError("--merge and --force go with --output.")
    if as_json and not dry_run:
        raise click.UsageError("--json goes with --dry-run; for keys there is --format json.")
    try:
        # First what can be refused without making keys.
        destination = _Destination(format_, output, merges=merges, force=force)
        found = _find(target, name, lifetime)
        if dry_run:
            planned = found.plan()
            access = _access(planned.place, NO_KEYS, utcnow() + planned.lifetime, found.name)
            destination.try_out(access)
            _say_plan(planned, access, destination, as_json=as_json)
            return
        access = tool_access(found.grant(), found.name)
        destination.take(access)
    except (PrivateFileError, ToolConfigError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Keys to s3://{access.path} until {access.expires_at}.", err=True)
    command = usage(access, format_, str(output)) if output else ""
    if command:
        click.echo(f"Use them: {command}", err=True)


class _Destination:
    """Where keys go: standard output, or a file.

    :raises PrivateFileError: when the file cannot be read, or may not be replaced.
    :raises ToolConfigError: when nothing can be merged into it.
    """

    def __init__(self, format_: str, path: Path | None, *, merges: bool, force: bool) -> None:
        self.format = format_
        self.path = path
        self.merges = merges
        self._force = force
        self._file = None if path is None else PrivateFile(path, replace=merges or force)
        self._before = self._file.read() if self._file and merges else ""
        if merges:
            check_mergeable(self._before, format_)

    def take(self, access: ToolAccess) -> None:
        """Write keys there."""
        text = self._text(access)
        if self._file is None:
            click.echo(text, nl=False)
        else:
            self._file.write(text)

    def try_out(self, access: ToolAccess) -> None:
        """Find out whether keys could be written there."""
        self._text(access)

    def _text(self, access: ToolAccess) -> str:
        text = document(access, self.format)
        return merge(self._before, text, self.format, force=self._force) if self.merges else text


def _say_plan(
    planned: PlannedGrant, access: ToolAccess, destination: _Destination, *, as_json: bool
) -> None:
    seconds = int(planned.lifetime.total_seconds())
    path, format_ = destination.path, destination.format
    if path is None:
        written = f"Would print them for {format_}."
    else:
        would = "merge them into" if destination.merges else "write them to"
        written = f"Would {would} {path}, for {format_}."
    lines = [
        f"Would ask for keys to s3://{access.path} that work for {seconds} seconds, of the role"
        f" {planned.role}.",
        written,
    ]
    data = {
        "dry_run": True,
        "endpoint_url": access.endpoint_url,
        "bucket": access.bucket,
        "prefix" if access.key is None else "key": access.target,
        "role": planned.role,
        "lifetime": seconds,
        "format": format_,
        "name": access.profile,
        "output": None if path is None else str(path),
        "merge": destination.merges,
    }
    say(lines, data, as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Found:
    """What an operator has named.

    :param name: of the entry.
    :param plan: finds out what the store would be asked for.
    :param grant: asks it.
    """

    name: str
    plan: Callable[[], PlannedGrant]
    grant: Callable[[], IssuedGrant]


def _find(target: str, name: str | None, lifetime: int | None) -> _Found:
    """Find the upload or the scope to which keys are to be handed out, on nobody's behalf."""
    upload_id = _read_upload_id(target)
    if upload_id is not None:
        upload = get_upload(upload_id)
        return _Found(
            name or f"upload-{str(upload_id)[:8]}",
            partial(plan_upload_grant, upload, lifetime=lifetime),
            partial(grant_upload, upload, user_id=None, lifetime=lifetime),
        )
    scope = find_scope(target) or _scope_of_place(target)
    return _Found(
        name or scope.name,
        partial(plan_scope_grant, scope, user_id=None, lifetime=lifetime),
        partial(grant_scope, scope, user_id=None, lifetime=lifetime),
    )


def _scope_of_place(target: str) -> Scope:
    try:
        scope = scope_of_place(Place.parse(target))
    except InvalidScope as error:
        raise ScopeNotFound() from error
    if scope is None:
        raise ScopeNotFound()
    return scope


def _read_upload_id(target: str) -> UUID | None:
    try:
        return UUID(target) if len(target) == 36 else None
    except ValueError:
        return None


def tool_access(issued: IssuedGrant, name: str) -> ToolAccess:
    """Return a grant as what a tool is configured with.

    :param name: of the entry, in whatever characters.
    :raises ToolConfigError: when it has what no tool could take.
    """
    return _access(issued.place, issued.credentials, issued.row.expires_at, name)


def _access(place: GrantedPlace, keys: Credentials, ends: datetime, name: str) -> ToolAccess:
    return ToolAccess(
        name=name,
        endpoint_url=place.endpoint_url,
        region=place.region,
        bucket=place.bucket,
        prefix=place.prefix,
        key=place.key,
        # Profiles of different versions of a store are named after it.
        provider=place.profile_name.partition("-")[0],
        access_key=keys.access_key,
        secret_key=keys.secret_key,
        token=keys.token,
        expires_at=isoformat(ends),
    )
