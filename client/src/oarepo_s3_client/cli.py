# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The command ``oarepo-s3``."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from .access import access_of
from .api import RepositoryApi, check_address, read_upload_id
from .errors import ClientError
from .private_file import PrivateFile, PrivateFileError
from .tool_configs import (
    FORMATS,
    ToolConfigError,
    check_mergeable,
    document,
    merge,
    profile_name,
    usage,
)
from .version import __version__

TOKEN_VARIABLE = "OAREPO_S3_TOKEN"
"""Environment variable with the access token."""


@click.group()
@click.version_option(__version__, prog_name="oarepo-s3")
def main() -> None:
    """Work with an Invenio repository whose files lie in an S3 store."""


@main.command()
@click.argument("target", metavar="SCOPE|UPLOAD_ID")
@click.option(
    "--url",
    required=True,
    envvar="OAREPO_S3_URL",
    show_envvar=True,
    help="Address of the repository's REST API, such as https://repo.example.org/api.",
)
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
    help="How long the keys should work; the repository says how long they may.",
)
@click.option("--dry-run", is_flag=True, help="Say what would be done, and ask nobody for keys.")
@click.option("--json", "as_json", is_flag=True, help="With --dry-run: print JSON.")
def credentials(
    target: str,
    url: str,
    format_: str,
    output: Path | None,
    merges: bool,
    force: bool,
    name: str | None,
    lifetime: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Get temporary keys to a scope or for an upload, written for an S3 tool.

    The access token of the repository is taken from the environment variable OAREPO_S3_TOKEN, or
    asked for. With --dry-run it is not needed.
    """
    if output is None and (merges or force):
        raise click.UsageError("--merge and --force go with --output.")
    if as_json and not dry_run:
        raise click.UsageError("--json goes with --dry-run; for keys there is --format json.")
    try:
        # First what can be refused without asking anybody for keys.
        file = None if output is None else PrivateFile(output, replace=merges or force)
        before = file.read() if file and merges else ""
        if merges:
            check_mergeable(before, format_)
        if dry_run:
            check_address(url)
            _say_plan(
                {
                    "dry_run": True,
                    "url": url,
                    "target": target,
                    "lifetime": lifetime,
                    "format": format_,
                    "name": profile_name(name or _name_of(target)),
                    "output": str(output) if output else None,
                    "merge": merges,
                },
                as_json=as_json,
            )
            return
        answer = RepositoryApi(url, _token()).grant(target, lifetime)
        access = access_of(answer, name or _name_of(target))
        text = document(access, format_)
        if file is None:
            click.echo(text, nl=False)
        else:
            file.write(merge(before, text, format_, force=force) if merges else text)
    except (ClientError, PrivateFileError, ToolConfigError) as error:
        raise click.ClickException(str(error)) from error
    until = f" until {access.expires_at}" if access.expires_at else ""
    click.echo(f"Keys to s3://{access.path}{until}.", err=True)
    command = usage(access, format_, str(output)) if output else ""
    if command:
        click.echo(f"Use them: {command}", err=True)


def _say_plan(plan: dict[str, Any], *, as_json: bool) -> None:
    """Print what would be done; what keys would open, only the repository knows."""
    if as_json:
        click.echo(json.dumps(plan, indent=2))
        return
    wish = f"with a lifetime of {plan['lifetime']} s" if plan["lifetime"] else "as it gives them"
    click.echo(f"Would ask {plan['url']} for keys to {plan['target']}, {wish}.")
    if plan["output"] is None:
        click.echo(f"Would print them for {plan['format']}.")
    else:
        would = "merge them into" if plan["merge"] else "write them to"
        click.echo(f"Would {would} {plan['output']}, for {plan['format']}.")


def _token() -> str:
    """Return the access token, which is no argument: those are seen by all users of a machine.

    :raises ClientError: when there is nobody to ask.
    """
    token = os.environ.get(TOKEN_VARIABLE)
    if token:
        return token
    if not can_answer():
        raise ClientError(f"Set {TOKEN_VARIABLE} to an access token of the repository.")
    return str(click.prompt("Access token of the repository", hide_input=True, err=True))


def can_answer() -> bool:
    """Whether somebody sits at a terminal."""
    return sys.stdin.isatty()


def _name_of(target: str) -> str:
    """Return the name of the entry: the scope, or for an upload the beginning of its id."""
    upload_id = read_upload_id(target)
    return target if upload_id is None else f"upload-{upload_id[:8]}"
