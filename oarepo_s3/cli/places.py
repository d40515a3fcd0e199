# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which bucket a command is about: that of a location, or one that is named."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click
from invenio_files_rest.models import Location

from ..backends import AdministersBucket
from ..core.errors import InvalidLocation
from ..core.uris import ObjectURI
from ..proxies import current_s3
from ..services.transactions import end_transaction

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket.

    :param prefix: what the keys of the location begin with: empty, or with a slash at its end.
    """

    bucket: str
    prefix: str = ""
    scheme: str = "s3"

    @property
    def store(self) -> AdministersBucket:
        """The store of the bucket.

        :raises click.ClickException: when it has no buckets to administer.
        """
        store = current_s3.store(f"{self.scheme}://{self.bucket}/")
        if not isinstance(store, AdministersBucket):
            raise click.ClickException(
                f"The store of {self.scheme}:// has no buckets to administer."
            )
        return store

    @property
    def absent(self) -> str:
        """What to say when there is no such bucket."""
        create = f"invenio s3 bucket create {shlex.quote(self.bucket)}"
        return f"There is no bucket {self.bucket}: `{create}` makes it."


def place_options(command: Command) -> Command:
    """Add the options that :func:`find_place` takes."""
    for option in (
        click.option("--bucket", metavar="NAME", help="A bucket, in place of a location."),
        click.option("--location", metavar="NAME", help="A location; the default one without it."),
    ):
        command = option(command)
    return command


def find_place(location: str | None, bucket: str | None) -> Place:
    """Return the bucket of a location, or a bucket by its own name.

    :raises click.UsageError: when both are named, or there is no such location.
    """
    if bucket is not None:
        if location is not None:
            raise click.UsageError("Name a location or a bucket, not both.")
        return Place(bucket)
    found = Location.get_default() if location is None else Location.get_by_name(location)
    uri = found.uri if found else None
    # Nothing of the database stays open while the store is asked.
    end_transaction()
    if uri is None:
        raise click.UsageError(
            f"There is no location {location!r}."
            if location
            else "There is no default location: name a location or a bucket."
        )
    parsed = ObjectURI.parse(uri)
    return Place(parsed.bucket, folder(parsed.key), parsed.scheme)


def folder(prefix: str) -> str:
    """Return a prefix as keys have it: empty, or with a slash at its end."""
    return f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""


def locations_at(bucket: str) -> list[str]:
    """Return the names of the locations that keep their files in a bucket."""
    places = [(found.name, found.uri) for found in Location.all()]
    end_transaction()
    return sorted(name for name, uri in places if _is_in(uri, bucket))


def _is_in(uri: str, bucket: str) -> bool:
    try:
        return ObjectURI.parse(uri).bucket == bucket
    except InvalidLocation:
        return False  # files-rest's own, on a disk
