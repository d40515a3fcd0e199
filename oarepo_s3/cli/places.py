# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which bucket a command is about: that of a location, or one that is named."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from ..backends import AdministersBucket
from ..core.errors import InvalidLocation
from ..core.uris import ObjectURI
from ..provisioning.answers import speaks_s3
from ..proxies import current_s3
from ..services import KnownLocation, all_locations, default_location, find_location

_BUCKET = re.compile(r"[A-Za-z0-9._:-]{1,255}")
"""What the SDK sends as the name of a bucket; at Ceph one may have a tenant before a colon."""

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Place:
    """A bucket, or a location in it.

    :param prefix: what the keys of the location begin with: empty, or with a slash at its end.
    :param location: its name; empty for a bucket that was named itself.
    """

    bucket: str
    prefix: str = ""
    scheme: str = "s3"
    location: str = ""

    @property
    def uri(self) -> ObjectURI:
        """Where the keys begin."""
        return ObjectURI(self.scheme, self.bucket, self.prefix)

    @property
    def shown(self) -> str:
        """The same for people, as locations are written."""
        return str(self.uri).rstrip("/")

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
        # Of a location, whose rules are for its prefix.
        where = ["--location", self.location] if self.location else [self.bucket]
        create = shlex.join(["invenio", "s3", "bucket", "create", *where])
        return f"There is no bucket {self.bucket}: `{create}` makes it."


origin_option = click.option(
    "--origin",
    "origins",
    multiple=True,
    metavar="URL",
    help="Origin of a page that uploads, in place of those of the settings; may be given several"
    " times.",
)
"""For commands about the pages that upload to a bucket."""


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

    :raises click.UsageError: when both are named, there is no such location, or no bucket can have
        the name.
    :raises click.ClickException: when the location is not at an S3 store.
    """
    if bucket is not None:
        if location is not None:
            raise click.UsageError("Name a location or a bucket, not both.")
        if not _BUCKET.fullmatch(bucket):
            raise click.UsageError(f"{bucket!r} cannot be the name of a bucket.")
        return Place(bucket)
    known = default_location() if location is None else find_location(location)
    if known is None:
        raise click.UsageError(
            f"There is no location {location!r}."
            if location
            else "There is no default location: name a location or a bucket."
        )
    return _place_at(known)


def all_places() -> list[Place]:
    """Return the locations that are at S3 stores, by name."""
    return [_place_at(known) for known in all_locations() if _is_at_s3(known)]


def _place_at(known: KnownLocation) -> Place:
    if not _is_at_s3(known):
        raise click.ClickException(
            f"The location {known.name} is not at an S3 store, but at {known.uri}: name another"
            " one, or make one with `invenio s3 setup`."
        )
    uri = ObjectURI.parse(known.uri)
    return Place(uri.bucket, folder(uri.key), uri.scheme, known.name)


def _is_at_s3(known: KnownLocation) -> bool:
    scheme, _, _ = known.uri.partition("://")
    return speaks_s3(scheme)


def folder(prefix: str) -> str:
    """Return a prefix as keys have it: empty, or with a slash at its end."""
    return f"{prefix.rstrip('/')}/" if prefix.rstrip("/") else ""


def locations_at(bucket: str) -> list[str]:
    """Return the names of the locations that keep their files in a bucket."""
    return [known.name for known in all_locations() if _is_in(known.uri, bucket)]


def _is_in(uri: str, bucket: str) -> bool:
    try:
        return ObjectURI.parse(uri).bucket == bucket
    except InvalidLocation:
        return False  # files-rest's own, on a disk
