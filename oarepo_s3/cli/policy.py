# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 policy``: the documents that a store needs, printed or applied."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, TypeVar

import click
from invenio_s3.cli import s3

from ..backends import AdministersRights
from ..backends.operators import Document
from ..core.policies import role_policy, server_policy, session_policy, trust_policy
from ..core.quantities import show_duration
from ..provisioning import documents
from ..provisioning.merging import Change, apply_change, plan_rules
from ..provisioning.rights import (
    change_role,
    change_server,
    change_trust,
    name_in_arn,
    policy_name,
)
from ..proxies import current_s3
from .changes import administering, say_change
from .output import dry_run_option, json_option, operator_command
from .places import Place, find_place, folder, origin_option, place_options

Command = TypeVar("Command", bound=Callable[..., Any])

principal_option = click.option(
    "--principal", metavar="ARN", help="The server's user, such as arn:aws:iam:::user/NAME."
)
role_option = click.option(
    "--role", metavar="ARN", help="The upload role, in place of OAREPO_S3_UPLOAD_ROLE."
)

prefix_option = click.option("--prefix", help="A folder, in place of the location's.")

INSTEAD = "Give what this prints without --apply to the store by a tool of its own: "


def apply_options(command: Command) -> Command:
    """Add ``--apply``, ``--dry-run`` and ``--json``."""
    apply_it = click.option(
        "--apply", "apply_it", is_flag=True, help="Bring it to the store, instead of printing it."
    )
    return apply_it(dry_run_option(json_option(command)))


@s3.group()
def policy() -> None:
    """Print the documents that a store needs, filled in from this instance; or apply them.

    Without --apply only the document is printed. With --apply other rules and policies stay, and
    the second time nothing changes; --dry-run shows the difference.
    """


@policy.command()
@place_options
@origin_option
@click.option("--format", "form", type=click.Choice(["json", "xml"]), default="json")
@apply_options
@operator_command
def cors(
    location: str | None,
    bucket: str | None,
    origins: tuple[str, ...],
    form: str,
    apply_it: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """The bucket's rule that lets browsers upload.

    For the origins of OAREPO_S3_ORIGINS, or the one of SITE_UI_URL.
    """
    if form == "xml" and (apply_it or dry_run or as_json):
        raise click.UsageError("--format xml only prints: leave out --apply, --dry-run and --json.")
    place = find_place(location, bucket)
    site = current_s3.site(place.bucket, origins)
    if not site.origins:
        raise click.UsageError("Name an --origin, or set OAREPO_S3_ORIGINS or SITE_UI_URL.")
    document = documents.cors(site.origins)
    if not (apply_it or dry_run):
        click.echo(documents.cors_xml(document) if form == "xml" else _written(document))
        return
    instead = "Such a server has settings of its own; rclone's is started with --allow-origin."
    change = _bring(place, "cors", document, instead, dry_run=dry_run)
    say_change(f"CORS rules of {place.bucket}", change, dry_run=dry_run, as_json=as_json)


@policy.command()
@place_options
@prefix_option
@click.option("--days", type=click.IntRange(min=1), help="Days for which an upload may be open.")
@apply_options
@operator_command
def lifecycle(
    location: str | None,
    bucket: str | None,
    prefix: str | None,
    days: int | None,
    apply_it: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """The bucket's rules that remove what uploads may leave behind.

    They wait longer than OAREPO_S3_UPLOAD_LIFETIME.
    """
    place = find_place(location, bucket)
    longest = current_s3.settings.upload_lifetime
    if days is not None and timedelta(days=days) <= longest:
        raise click.BadParameter(
            f"an upload may take {show_duration(longest)} (OAREPO_S3_UPLOAD_LIFETIME), and the rule"
            " has to wait longer",
            param_hint="--days",
        )
    begin = _begin(place, prefix)
    document = documents.lifecycle(begin, days or documents.least_days(longest))
    if not (apply_it or dry_run):
        click.echo(_written(document))
        return
    instead = "Let `invenio s3 uploads orphans` find what nobody ends."
    change = _bring(place, "lifecycle", document, instead, dry_run=dry_run)
    say_change(f"Lifecycle rules of {place.bucket}", change, dry_run=dry_run, as_json=as_json)


@policy.command()
@place_options
@prefix_option
@role_option
@principal_option
@apply_options
@operator_command
def server(
    location: str | None,
    bucket: str | None,
    prefix: str | None,
    role: str | None,
    principal: str | None,
    apply_it: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """What the server's own keys need, and no more.

    For a location below a prefix, it is for what is below that alone.

    --apply gives it to the user of --principal, by the IAM API. Ceph lets keys of a user do that
    who has the capabilities user-policy=* and roles=*.
    """
    place = find_place(location, bucket)
    begin = _begin(place, prefix)
    assumed = role or current_s3.site(place.bucket).role
    document = server_policy(place.bucket, assumed, prefix=begin)
    if not (apply_it or dry_run):
        click.echo(_written(document))
        return
    if principal is None:
        raise click.UsageError("Name the server's user by --principal.")
    user = name_in_arn(principal, "user")
    kept_as = policy_name(place.bucket, begin)
    with administering(f"{INSTEAD}`aws iam put-user-policy`.", f"There is no user {user}."):
        change = change_server(_rights(place), user, kept_as, document, dry_run=dry_run)
    say_change(f"Policy of the user {user}", change, dry_run=dry_run, as_json=as_json)


@policy.command("role")
@place_options
@prefix_option
@role_option
@apply_options
@operator_command
def role_of_uploads(
    location: str | None,
    bucket: str | None,
    prefix: str | None,
    role: str | None,
    apply_it: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """What the upload role needs, which temporary keys are made of.

    For a location below a prefix, it is for what is below that alone.

    --apply gives it to the role, by the IAM API; `policy trust --apply` makes the role.
    """
    place = find_place(location, bucket)
    begin = _begin(place, prefix)
    document = role_policy(place.bucket, prefix=begin)
    if not (apply_it or dry_run):
        click.echo(_written(document))
        return
    name = _role_name(place, role)
    instead = f"{INSTEAD}`aws iam put-role-policy` or `radosgw-admin role-policy put`."
    named = f"--role {shlex.quote(role)} " if role else ""
    absent = (
        f"There is no role {name}: `invenio s3 policy trust {named}--principal ARN --apply` makes"
        " it, where ARN is the server's user."
    )
    with administering(instead, absent):
        kept_as = policy_name(place.bucket, begin)
        change = change_role(_rights(place), name, kept_as, document, dry_run=dry_run)
    say_change(f"Policy of the role {name}", change, dry_run=dry_run, as_json=as_json)


@policy.command()
@place_options
@role_option
@principal_option
@apply_options
@operator_command
def trust(
    location: str | None,
    bucket: str | None,
    role: str | None,
    principal: str | None,
    apply_it: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Who may assume the upload role: the server's user alone.

    --apply makes the role if there is none, by the IAM API. Whom a role trusts already stays
    trusted, but for the statement with the Sid OarepoS3Server, which is ours and replaced.
    """
    if principal is None:
        raise click.UsageError("Name the server's user by --principal.")
    document = trust_policy(principal)
    if not (apply_it or dry_run):
        click.echo(_written(document))
        return
    place = find_place(location, bucket)
    name = _role_name(place, role)
    with administering(f"{INSTEAD}`aws iam create-role` or `radosgw-admin role create`."):
        change = change_trust(_rights(place), name, document, dry_run=dry_run)
    say_change(f"Trust of the role {name}", change, dry_run=dry_run, as_json=as_json)


@policy.command()
@place_options
@click.option("--key", help="The one object that may be uploaded.")
@click.option("--prefix", help="What may be uploaded below, in place of the location's.")
@click.option("--json", is_flag=True, expose_value=False, help="Print JSON, as without it.")
@operator_command
def session(location: str | None, bucket: str | None, key: str | None, prefix: str | None) -> None:
    """What narrows temporary keys, to one object or to what is below a prefix; print only."""
    place = find_place(location, bucket)
    below = place.prefix if key is None and prefix is None else prefix
    if not (key or below):
        raise click.UsageError("Name a --key or a --prefix.")
    click.echo(_written(session_policy(place.bucket, key=key, prefix=below)))


def _bring(
    place: Place,
    kind: Document,
    document: Mapping[str, Any],
    instead: str,
    *,
    dry_run: bool,
) -> Change:
    """Join rules with those of a bucket, unless it is a dry run."""
    with administering(instead, place.absent):
        change = plan_rules(place.store, kind, document)
        if not dry_run:
            apply_change(place.store, change)
    return change


def _begin(place: Place, prefix: str | None) -> str:
    """Return what the keys begin with: a location's, or what was asked for instead."""
    return place.prefix if prefix is None else folder(prefix)


def _written(document: Mapping[str, Any]) -> str:
    return json.dumps(document, indent=2)


def _rights(place: Place) -> AdministersRights:
    store = place.store
    if not isinstance(store, AdministersRights):
        raise click.ClickException("This back end gives no rights: use the store's own tools.")
    return store


def _role_name(place: Place, role: str | None) -> str:
    arn = role or current_s3.site(place.bucket).role
    if arn is None:
        raise click.UsageError("Name the role by --role, or set OAREPO_S3_UPLOAD_ROLE.")
    return name_in_arn(arn, "role")
