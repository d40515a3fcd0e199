# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3 bucket``: make a bucket, look at it, and remove it with all that it holds."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click
from flask import current_app
from invenio_s3.cli import s3

from ..backends import ListsObjects, ListsUploads
from ..core.quantities import show_count
from ..provisioning import documents
from ..provisioning.buckets import Creation, Description, create, describe
from ..proxies import current_s3
from .changes import TITLES, administering, change_data, creation_lines
from .output import dry_run_option, json_option, operator_command, say
from .places import Place, find_place, locations_at

INSTEAD = "Use the tools of the store itself."

name_argument = click.argument("name", required=False)
location_option = click.option(
    "--location", metavar="NAME", help="A location, in place of a bucket's name."
)


@s3.group()
def bucket() -> None:
    """Make, show or erase the bucket at the store."""


@bucket.command("create")
@name_argument
@location_option
@dry_run_option
@json_option
@operator_command
def create_bucket(name: str | None, location: str | None, dry_run: bool, as_json: bool) -> None:
    """Make the bucket NAME, or that of a location, if there is none.

    Public access is blocked, and lifecycle rules are added that remove what uploads may leave
    behind; also for a bucket that is there already.
    """
    place = _named(name, location)
    days = documents.least_days(current_s3.settings.upload_lifetime)
    with administering(INSTEAD):
        made = create(place.store, documents.lifecycle(place.prefix, days), dry_run=dry_run)
    say(
        creation_lines(place.bucket, made, dry_run=dry_run),
        _creation_data(place.bucket, made, dry_run=dry_run),
        as_json=as_json,
    )


@bucket.command()
@name_argument
@location_option
@json_option
@operator_command
def show(name: str | None, location: str | None, as_json: bool) -> None:
    """Show the bucket NAME, or that of a location (the default one)."""
    place = _named(name, location, default=True)
    if not _exists(place):
        raise click.ClickException(place.absent)
    with administering(INSTEAD):
        found = describe(place.store)
    endpoint = current_app.config.get("S3_ENDPOINT_URL")
    say(
        _description_lines(place.bucket, endpoint, found),
        {"bucket": place.bucket, "endpoint_url": endpoint, **asdict(found)},
        as_json=as_json,
    )


@bucket.command()
@name_argument
@location_option
@click.option("--yes", is_flag=True, help="Do not ask for the bucket's name.")
@click.option("--force", is_flag=True, help="Even if a location of Invenio is there.")
@dry_run_option
@json_option
@operator_command
def erase(
    name: str | None, location: str | None, yes: bool, force: bool, dry_run: bool, as_json: bool
) -> None:
    """Remove the bucket NAME, or that of a location, with all that it holds.

    All objects, all their versions, and all open uploads, whoever they belong to.
    """
    place = _named(name, location)
    data: dict[str, Any] = {"bucket": place.bucket, "dry_run": dry_run, "erased": False}
    if not _exists(place):
        say([f"There is no bucket {place.bucket}."], data, as_json=as_json)
        return
    users = locations_at(place.bucket)
    if users and not force:
        noun = "location" if len(users) == 1 else "locations"
        raise click.ClickException(
            f"The bucket {place.bucket} is that of the {noun} {', '.join(users)}, whose files"
            " would be lost. Remove what is named first, or use --force."
        )
    if dry_run:
        data |= _contents(place)
        lines = [
            f"Would remove {_counted(data['objects'], 'object')} (with all older versions),"
            f" {_counted(data['open_uploads'], 'open upload')} and the bucket {place.bucket}."
        ]
        say(lines, data, as_json=as_json)
        return
    if not yes:
        typed = click.prompt(f"All of {place.bucket} will be lost. Its name", err=True)
        if typed != place.bucket:
            raise click.ClickException("That is not its name: nothing was removed.")
    with administering(INSTEAD):
        data["removed"] = sum(place.store.erase())
        data["erased"] = place.store.delete_bucket()
    held = f"Objects, versions and uploads that it held: {data['removed']}."
    say([f"Removed the bucket {place.bucket}. {held}"], data, as_json=as_json)


def _named(name: str | None, location: str | None, *, default: bool = False) -> Place:
    if name is None and location is None and not default:
        raise click.UsageError("Name a bucket, or a --location.")
    return find_place(location, name)


def _exists(place: Place) -> bool:
    with administering(INSTEAD):
        return place.store.bucket_exists()


def _contents(place: Place) -> dict[str, int | None]:
    """Count what a bucket holds; None for what the store does not list."""
    store = place.store
    objects = store.list_objects("") if isinstance(store, ListsObjects) else None
    uploads = store.list_uploads("") if isinstance(store, ListsUploads) else None
    return {
        "objects": None if objects is None else sum(1 for _ in objects),
        "open_uploads": None if uploads is None else sum(1 for _ in uploads),
    }


def _counted(number: int | None, noun: str) -> str:
    return f"an unknown number of {noun}s" if number is None else show_count(number, noun)


def _creation_data(name: str, made: Creation, *, dry_run: bool) -> dict[str, Any]:
    data: dict[str, Any] = {
        "bucket": name,
        "created": made.created and not dry_run,
        "dry_run": dry_run,
        "notes": made.notes,
    }
    for change in made.changes:
        data[change.kind] = change_data(TITLES[change.kind], change, dry_run=dry_run)
    return data


def _description_lines(name: str, endpoint: str | None, found: Description) -> Iterator[str]:
    yield f"Bucket: {name}"
    yield f"Endpoint: {endpoint or 'AWS'}"
    if found.region is not None:
        yield f"Region: {found.region}"
    if found.versioned is not None:
        yield f"Versions: {'kept' if found.versioned else 'not kept'}"
    yield from _document_lines("CORS", found.cors)
    yield from _document_lines("Lifecycle", found.lifecycle)
    yield from _document_lines("Public access block", found.public_access_block)
    if found.open_uploads is not None:
        since = f", the oldest since {found.oldest_upload}" if found.oldest_upload else ""
        yield f"Open uploads: {found.open_uploads}{since}"
    yield from found.notes


def _document_lines(title: str, document: Mapping[str, Any] | None) -> Iterator[str]:
    """Yield a document, if it is known."""
    if document is not None:
        yield f"{title}: {json.dumps(document, indent=2) if document else 'none'}"
