# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is checked: a bucket, how it is reached, and for whom it shall work."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from ..backends import Site, StoreConfig


@dataclass(frozen=True, slots=True)
class Subject:
    """A location to be checked.

    :param config: how the server reaches the store; its profile is what is expected of the store.
    :param site: the bucket, and the origins of the pages that upload.
    :param prefix: what the keys of the location begin with; empty for the whole bucket.
    :param upload_lifetime: how long an upload may take.
    :param part_url_lifetime: how long a part URL shall work.
    """

    config: StoreConfig
    site: Site
    prefix: str = ""
    upload_lifetime: timedelta = timedelta(days=6)
    part_url_lifetime: timedelta = timedelta(days=1)

    @property
    def place(self) -> str:
        """The place whose profile is tried."""
        return f"s3://{self.site.bucket}"
