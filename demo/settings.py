# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the parent tells its children, and they tell it."""

from __future__ import annotations

import importlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType

_VARIABLE = "OAREPO_S3_DEMO_SETTINGS"


@dataclass(frozen=True, slots=True)
class Settings:
    """All that differs from run to run; goes to the children in their environment.

    :param application: module of what is shown, with ``create_app(settings)`` and
        ``fill_database(location)``, which returns what the parent has to know.
    :param instance: folder of the repository, for its database and the two files below.
    :param host: address that the REST API listens on.
    :param port: port of the REST API.
    :param store: address of the S3 server.
    :param broker: address of Celery's broker.
    :param secret: signs the repository's cookies.
    """

    application: str
    instance: str
    host: str
    port: int
    store: str
    access_key: str
    secret_key: str
    store_bucket: str
    broker: str
    secret: str

    @property
    def api(self) -> str:
        """Address of the REST API."""
        return f"http://{self.host}:{self.port}"

    @property
    def database(self) -> Path:
        """The file of the SQLite database."""
        return Path(self.instance, "demo.db")

    @property
    def handover_file(self) -> Path:
        """Where the API writes, as JSON, what ``fill_database`` returned."""
        return Path(self.instance, "handover.json")

    @property
    def ready_file(self) -> Path:
        """A file that the worker makes when it takes tasks."""
        return Path(self.instance, "worker-ready")

    def environment(self) -> dict[str, str]:
        """Return the variables for a child's environment."""
        return {_VARIABLE: json.dumps(asdict(self)), "INVENIO_INSTANCE_PATH": self.instance}

    def load_application(self) -> ModuleType:
        """Import the module of what is shown."""
        return importlib.import_module(self.application)

    @classmethod
    def from_environment(cls) -> Settings:
        """Return what the parent said."""
        return cls(**json.loads(os.environ[_VARIABLE]))
