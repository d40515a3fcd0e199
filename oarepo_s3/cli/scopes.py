# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 scopes``: prefixes that other tools write to."""

from __future__ import annotations

import shlex
from typing import Any
from uuid import UUID

import click
from invenio_accounts.models import User
from invenio_accounts.proxies import current_datastore
from invenio_s3.cli import s3

from ..core.scopes import ScopeName
from ..core.times import isoformat
from ..models import Scope
from ..permissions import may_use_scope
from ..services import NewScope, create_scope, find_location, list_scopes, remove_scope
from .output import dry_run_option, json_option, operator_command, say


@s3.group()
def scopes() -> None:
    """Prefixes that other tools write to, each with a bucket that shows what lies there."""


@scopes.command("create")
@click.argument("name", metavar="SCOPE:NAME")
@click.option("--location", required=True, help="Name of the location.")
@click.option("--prefix", help="Prefix in the location; SCOPE/NAME without. '' for all of it.")
@click.option(
    "--user", "email", metavar="EMAIL", help="Who may have keys, if they may change the bucket."
)
@click.option("--bucket", "bucket_id", type=click.UUID, help="Id of a bucket that is there.")
@dry_run_option
@json_option
@operator_command
def create(
    name: str,
    location: str,
    prefix: str | None,
    email: str | None,
    bucket_id: UUID | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Make a scope, and a bucket for it. Nothing happens when it is there already."""
    if find_location(location) is None:
        raise click.UsageError(f"There is no location {location!r}.")
    user = _user(email) if email is not None else None
    new = NewScope(name, location, prefix, bucket_id, user.id if user is not None else None)
    before = {scope.name for scope in list_scopes()}
    scope = create_scope(new, dry_run=dry_run)
    if scope is None:
        shown = ScopeName.parse(name).prefix if prefix is None else prefix
        data = {"name": name, "location": location, "prefix": shown, "created": False}
        say([f"{name} would be made: {shown!r} in {location}."], data, as_json=as_json)
        return
    created = scope.name not in before
    line = f"{scope.name} is {'made' if created else 'there already'}: {_place(scope)}"
    mend = None if user is None or may_use_scope(user, scope) else _permit(user, scope)
    lines = [line, f"bucket {scope.bucket_id}"]
    if mend is not None:
        lines.append(f"{email} is refused keys until they may change the bucket: `{mend}`")
    data = {**_row(scope), "created": created, "permit": mend}
    say(lines, data, as_json=as_json)


@scopes.command("list")
@json_option
@operator_command
def show(as_json: bool) -> None:
    """List all scopes."""
    rows = [_row(scope) for scope in list_scopes()]
    lines = [
        f"{row['name']}  {row['location']}:{row['prefix']}  bucket {row['bucket']}"
        f"  owner {row['user'] or '-'}  synced {row['synced_at'] or 'never'}"
        for row in rows
    ]
    say(lines, {"scopes": rows}, as_json=as_json)


@scopes.command("remove")
@click.argument("name", metavar="SCOPE:NAME")
@dry_run_option
@json_option
@operator_command
def remove(name: str, dry_run: bool, as_json: bool) -> None:
    """Forget a scope. Its bucket, its versions and its objects stay as they are."""
    found = remove_scope(name, dry_run=dry_run)
    said = "would be forgotten" if dry_run else "is forgotten"
    line = f"{name} {said}; nothing else changes." if found else f"There is no scope {name}."
    say([line], {"name": name, "removed": found and not dry_run}, as_json=as_json)


def _user(email: str) -> User:
    user = current_datastore.get_user_by_email(email)
    if user is None:
        raise click.UsageError(f"There is no user {email}.")
    return user


def _permit(user: User, scope: Scope) -> str:
    """Return the command that gives a user the right, where files-rest's own permissions decide."""
    action = "--action files-rest-bucket-update"
    who = shlex.quote(user.email)
    return f"invenio access allow-action-for-user --user {who} {action} -a {scope.bucket_id}"


def _place(scope: Scope) -> str:
    return f"{scope.prefix!r} in {scope.location_name}"


def _row(scope: Scope) -> dict[str, Any]:
    return {
        "name": scope.name,
        "location": scope.location_name,
        "prefix": scope.prefix,
        "bucket": str(scope.bucket_id),
        "user": scope.user_id,
        "created_at": isoformat(scope.created_at),
        "synced_at": isoformat(scope.synced_at) if scope.synced_at else None,
    }
