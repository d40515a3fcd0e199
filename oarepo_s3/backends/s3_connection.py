# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What all that an S3 store can do stands on: the bucket, the clients and the way of a call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from .breaker import Breaker
from .config import StoreConfig
from .profiles import Profile
from .redact import redact_logs
from .s3_clients import Clients
from .s3_urls import UrlSigner
from .translate import store_errors


class S3Connection:
    """One bucket of an S3-compatible store; thread-safe.

    :param bucket: the bucket's name, as in the location's URI.
    :param config: how to reach the store.
    """

    def __init__(self, bucket: str, config: StoreConfig) -> None:
        redact_logs()
        # A key knows its own tenant; the prefix addresses the bucket of another one.
        self.bucket = f"{config.tenant}:{bucket}" if config.tenant else bucket
        self.profile: Profile = config.profile
        with store_errors():
            self._clients = Clients(config)
        self._client = self._clients.calls
        self._signer = UrlSigner(self.bucket, config, self._clients)
        silence = (ConnectTimeoutError, ReadTimeoutError)
        self._breaker = Breaker(config.silence_pause, silence)
        # STS may be another server: its silence says nothing of the store's, nor do its answers.
        self._sts_breaker = Breaker(config.silence_pause, silence)

    @contextmanager
    def _call(self, *, in_upload: bool = False) -> Iterator[None]:
        """Call the store in the block, unless it is silent; its errors become the project's."""
        with store_errors(in_upload=in_upload), self._breaker.guard():
            yield
