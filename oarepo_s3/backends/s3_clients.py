# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The SDK's clients for one store: made once, thread-safe, each with its own pool and patience."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Any

from boto3.session import Session
from botocore.client import BaseClient
from botocore.config import Config
from botocore.handlers import validate_bucket_name

from .config import StoreConfig
from .observe import observe_calls


class Clients:
    """The clients of one store.

    ``calls`` is for whatever is answered soon; ``complete`` waits longer and does not repeat, since
    the object that it makes, not its answer, says whether it has succeeded; ``public`` signs for
    the address that clients of the repository can reach, and calls nobody; ``sts`` asks for
    temporary keys.
    """

    def __init__(self, config: StoreConfig) -> None:
        self._config = config
        self.session = _session(config)
        self.calls = self._make(config.endpoint_url)
        self.complete = self._make(
            config.endpoint_url,
            read_timeout=config.complete_timeout,
            retries={"mode": "standard", "total_max_attempts": 1},
        )
        self.public = self._make(config.public_endpoint_url or config.endpoint_url)
        self._sts: BaseClient | None = None
        self._sts_lock = Lock()

    @property
    def sts(self) -> BaseClient:
        """The client of the STS API, made at first use: most stores are never asked for keys."""
        with self._sts_lock:
            if self._sts is None:
                self._sts = self._make_sts()
            return self._sts

    def _make_sts(self) -> BaseClient:
        address = self._config.sts_endpoint_url or self._config.endpoint_url
        return self._client("sts", address, self._unspecific)

    def iam(self) -> BaseClient:
        """Return a client of the IAM API, which Ceph has at the store's own address."""
        return self._client("iam", self._config.endpoint_url, self._unspecific)

    @property
    def _unspecific(self) -> dict[str, Any]:
        """What is configured, without what is said of S3's own addresses and signatures."""
        of_s3 = ("s3", "signature_version")
        options = self._config.client_options.items()
        return {name: value for name, value in options if name not in of_s3}

    def _make(self, endpoint_url: str | None, **options: Any) -> BaseClient:
        client = self._client("s3", endpoint_url, {**self._config.client_options, **options})
        if self._config.tenant:
            accept_tenants(client)
        return client

    def _client(
        self, service: str, endpoint_url: str | None, options: Mapping[str, Any]
    ) -> BaseClient:
        client = self.session.client(
            service,
            endpoint_url=endpoint_url,
            region_name=self._config.region,
            verify=self._config.verify,
            config=Config(**options),
        )
        if self._config.observer is not None:
            observe_calls(client, self._config.observer)
        return client


def accept_tenants(client: Any) -> None:
    """Let a client of the SDK take ``tenant:bucket``, which Ceph wants and the SDK refuses."""
    client.meta.events.unregister("before-parameter-build.s3", validate_bucket_name)


def _session(config: StoreConfig) -> Session:
    keys = config.credentials
    if keys is None:
        return Session()
    return Session(
        aws_access_key_id=keys.access_key,
        aws_secret_access_key=keys.secret_key,
        aws_session_token=keys.token,
    )
