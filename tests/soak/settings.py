# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the script tells its children, and how long things take in a soak.

A production instance waits minutes for a store and days for a client. Here the same proportions
last seconds, so that a run of minutes sees many ends of all of these.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
_VARIABLE = "OAREPO_S3_SOAK_SETTINGS"

CONNECT_TIMEOUT = 1
READ_TIMEOUT = 2
"""A thirtieth of the default, as the two below are of theirs."""
ASSEMBLY_TIME = timedelta(seconds=10)
LEASE = timedelta(seconds=20)
UPLOAD_LIFETIME = 45
"""Longer than the patience of a client that is at work; what nobody uses gives its room back."""
CHECK_INTERVAL = 5
ORPHAN_GRACE = 8
BEAT = {
    "oarepo_s3.tasks.cleanup_expired_multipart_uploads": 2,
    "oarepo_s3.tasks.recover_interrupted_multipart_uploads": 2,
    "oarepo_s3.tasks.sweep_orphaned_multipart_uploads": 4,
}
"""Seconds from one run of a task to the next."""

PART_SIZE = 5 * 2**20
LARGEST_FILE = 12 * 2**20
QUOTA = 32 * 2**20
BUCKETS = 3
USERS = 2
USER_HEADER = "X-Soak-User"
"""Says who calls; see the application."""


@dataclass(frozen=True, slots=True)
class Settings:
    """All that differs from run to run; goes to the children in their environment.

    :param database: SQLAlchemy URL.
    :param broker: redis URL of the broker, by a proxy whose port outlives the broker.
    :param store: address of the store for the application, by a proxy.
    :param public: address of the store for clients, by another proxy.
    :param directory: folder for logs and for what the children write.
    """

    database: str
    broker: str
    store: str
    public: str
    access_key: str
    secret_key: str
    store_bucket: str
    directory: str

    @property
    def results(self) -> Path:
        """Where workers note what their tasks returned, one JSON a line."""
        return Path(self.directory, "results.jsonl")

    @property
    def logs(self) -> Path:
        """The folder of the children's logs."""
        return Path(self.directory, "log")

    def environment(self) -> dict[str, str]:
        """Return the variables for a child's environment."""
        return {_VARIABLE: json.dumps(asdict(self)), "INVENIO_INSTANCE_PATH": self.directory}

    @classmethod
    def from_environment(cls) -> Settings:
        """Return what the parent said."""
        return cls(**json.loads(os.environ[_VARIABLE]))
