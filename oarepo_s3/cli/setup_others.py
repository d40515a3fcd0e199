# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What ``invenio s3 setup`` does to other locations: their store and keys are the same settings."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from ..backends import StoreConfig
from ..provisioning.answers import Answers
from ..provisioning.findings import Finding, Level
from .places import all_places


@dataclass(frozen=True, slots=True)
class Access:
    """Where the files of all S3 locations are looked for, and as whom.

    :param endpoint: None for AWS.
    :param region: decides at AWS alone; None where nobody said it.
    :param access_key: None where the SDK finds keys.
    """

    endpoint: str | None
    region: str | None
    access_key: str | None

    @classmethod
    def of(cls, config: StoreConfig) -> Access:
        """Return the access of a connection."""
        return cls(
            endpoint=(config.endpoint_url or "").rstrip("/") or None,
            region=config.region,
            access_key=config.credentials.access_key if config.credentials else None,
        )

    @classmethod
    def written(cls, settings: str) -> Access:
        """Return what a file of settings says; what cannot be read in it is not said."""
        said: dict[str, str] = {}
        with suppress(SyntaxError, ValueError):
            for line in ast.parse(settings).body:
                match line:
                    case ast.Assign([ast.Name(name)], ast.Constant(str(value))):
                        said[name] = value
        return cls(
            endpoint=said.get("S3_ENDPOINT_URL"),
            region=said.get("S3_REGION_NAME"),
            access_key=said.get("S3_ACCESS_KEY_ID"),
        )

    @property
    def is_unset(self) -> bool:
        """Whether nobody has said anything of it."""
        return self.endpoint is None and self.access_key is None

    def reaches_the_same(self, other: Access) -> bool:
        """Whether files that are found by the one are found by the other."""
        regions = {self.region, other.region} - {None}
        return (self.endpoint, self.access_key) == (other.endpoint, other.access_key) and (
            self.endpoint is not None or len(regions) < 2
        )

    def __str__(self) -> str:
        region = f" in {self.region}" if self.region else ""
        keys = f"the access key {self.access_key}" if self.access_key else "keys that the SDK finds"
        return f"at {self.endpoint or f'AWS{region}'} with {keys}"


@dataclass(frozen=True, slots=True)
class Move:
    """What setup would do to other locations.

    :param locations: their names.
    """

    locations: Sequence[str]
    now: Access
    new: Access

    @property
    def finding(self) -> Finding:
        """What is wrong with it."""
        several = "locations" if len(self.locations) > 1 else "location"
        *most, last = self.locations
        names = f"{', '.join(most)} and {last}" if most else last
        return Finding(
            "locations",
            Level.FAILURE,
            f"The {several} {names} would have {'their' if most else 'its'} files looked for"
            f" {self.new}, and no longer {self.now}: an instance has one address and one pair of"
            " keys for all its S3 locations.",
            "Answer as it is now; or add --all-locations, if the new answers are right for"
            f" {names}, too. (Another store needs another instance.)",
        )


def find_move(
    answers: Answers, new: StoreConfig, instance: StoreConfig, written: str
) -> Move | None:
    """Return what the answers would do to other locations, or None.

    :param new: the connection that was answered.
    :param instance: the connection that the instance has.
    :param written: what setup wrote before; empty for nothing. It counts as long as the instance
        says nothing itself: several locations may be set up before the settings are put in place.
    """
    others = [place.location for place in all_places() if place.location != answers.location]
    now = Access.of(instance)
    if written and now.is_unset:
        now = Access.written(written)
    if not others or now.reaches_the_same(Access.of(new)):
        return None
    return Move(others, now, Access.of(new))
