# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is checked: a bucket, how it is reached, and for whom it shall work."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import timedelta

from ..backends import Site, StoreConfig


@dataclass(frozen=True, slots=True)
class Subject:
    """A location to be checked.

    :param config: how the server reaches the store; its profile is what is expected of the store.
    :param site: the bucket, and the origins of the pages that upload.
    :param prefix: what the keys of the location begin with; empty for the whole bucket.
    :param location: its name; empty where it is not written yet.
    :param upload_lifetime: how long an upload may take.
    :param part_url_lifetime: how long a part URL shall work.
    """

    config: StoreConfig
    site: Site
    prefix: str = ""
    location: str = ""
    upload_lifetime: timedelta = timedelta(days=6)
    part_url_lifetime: timedelta = timedelta(days=1)

    @property
    def base(self) -> str:
        """What the keys begin with: empty, or with a slash at its end."""
        return f"{self.prefix.rstrip('/')}/" if self.prefix else ""

    def command(self, *words: str) -> str:
        """Return a command of ours that is about this location, as a shell takes it.

        :param words: after ``invenio s3``.
        """
        return shlex.join(["invenio", "s3", *words, *self._where])

    @property
    def _where(self) -> list[str]:
        """What names it to commands; the name of a location also says its prefix."""
        if self.location:
            return ["--location", self.location]
        return ["--bucket", self.site.bucket]

    @property
    def create_command(self) -> str:
        """What makes the bucket."""
        where = self._where if self.location else [self.site.bucket]
        return shlex.join(["invenio", "s3", "bucket", "create", *where])

    @property
    def cors_command(self) -> str:
        """What lets the pages of all origins upload."""
        origins = [word for origin in self.site.origins for word in ("--origin", origin)]
        return self.command("policy", "cors", *origins, "--apply")

    @property
    def lifecycle_command(self) -> str:
        """What lets the store remove what nobody ends."""
        return self.command("policy", "lifecycle", *self._prefix, "--apply")

    @property
    def server_command(self) -> str:
        """What prints the policy that the server's keys need."""
        return self.command("policy", "server", *self._prefix)

    @property
    def trust_command(self) -> str:
        """What makes the upload role; ARN stands for the server's user, whom we do not know."""
        return self.command("policy", "trust", *self._role, "--principal", "ARN", "--apply")

    @property
    def role_command(self) -> str:
        """What lets the upload role upload."""
        return self.command("policy", "role", *self._prefix, *self._role, "--apply")

    @property
    def _prefix(self) -> list[str]:
        return ["--prefix", self.base] if self.base and not self.location else []

    @property
    def _role(self) -> list[str]:
        return ["--role", self.site.role] if self.site.role else []

    @property
    def place(self) -> str:
        """The place whose profile is tried."""
        return f"s3://{self.site.bucket}"
