# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 credentials``: temporary keys, written for an S3 tool."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click
from invenio_s3.cli import s3

from ..core.errors import InvalidScope, ScopeNotFound
from ..core.scopes import Place
from ..core.times import isoformat
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
    IssuedGrant,
    find_scope,
    get_upload,
    grant_scope,
    grant_upload,
    scope_of_place,
)
from .output import operator_command
from .private_file import PrivateFile, PrivateFileError


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
@operator_command
def credentials(
    target: str,
    format_: str,
    output: Path | None,
    merges: bool,
    force: bool,
    name: str | None,
    lifetime: int | None,
) -> None:
    """Hand out temporary keys to a scope or for an upload, written for an S3 tool.

    The server's own keys are never printed. A place in a location has keys when it is the place of
    a scope.
    """
    if output is None and (merges or force):
        raise click.UsageError("--merge and --force go with --output.")
    try:
        # First what can be refused without making keys.
        file = None if output is None else PrivateFile(output, replace=merges or force)
        before = file.read() if file and merges else ""
        if merges:
            check_mergeable(before, format_)
        access = _grant(target, name, lifetime)
        text = document(access, format_)
        if file is None:
            click.echo(text, nl=False)
        else:
            file.write(merge(before, text, format_, force=force) if merges else text)
    except (PrivateFileError, ToolConfigError) as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"Keys to s3://{access.path} until {access.expires_at}.", err=True)
    command = usage(access, format_, str(output)) if output else ""
    if command:
        click.echo(f"Use them: {command}", err=True)


def _grant(target: str, name: str | None, lifetime: int | None) -> ToolAccess:
    """Hand out keys to what an operator names."""
    upload_id = _read_upload_id(target)
    if upload_id is not None:
        issued = grant_upload(get_upload(upload_id), user_id=None, lifetime=lifetime)
        return tool_access(issued, name or f"upload-{str(upload_id)[:8]}")
    scope = find_scope(target) or _scope_of_place(target)
    issued = grant_scope(scope, user_id=None, lifetime=lifetime)
    return tool_access(issued, name or scope.name)


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
    keys, place = issued.credentials, issued.place
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
        expires_at=isoformat(issued.row.expires_at),
    )
