# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the services need of the application: its settings and its stores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from ..backends import Profile, Site, StoreConfig, Stores
from ..backends.profiles import find_profile
from ..core.credentials import Credentials
from ..core.errors import InvalidRequest, StoreMisconfigured
from ..core.keys import KeyMarker
from ..core.origins import read_origins
from ..core.planning import PartLimits
from ..core.tokens import TokenSigner
from ..core.uris import ObjectURI
from .profiles import kept_profile, place_of

if TYPE_CHECKING:
    from flask import Flask

    from ..backends import ObjectStore, Observer


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings that rules depend on, with their types; sizes in bytes."""

    limits: PartLimits
    part_size: int
    upload_lifetime: timedelta
    part_url_lifetime: timedelta
    token_lifetime: timedelta
    token_max_lifetime: timedelta
    upload_role: str | None
    grant_lifetime: timedelta
    grant_retention: timedelta
    complete_timeout: timedelta
    url_window: int
    max_urls: int
    part_links: int
    read_after_commit: bool
    page_size: int
    sweep_batch: int
    sweep_threads: int
    check_interval: timedelta
    orphan_grace: timedelta

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Settings:
        """Read the ``OAREPO_S3_*`` settings of an application."""
        return cls(
            limits=PartLimits(
                min_part_size=config["OAREPO_S3_MIN_PART_SIZE"],
                max_part_size=config["OAREPO_S3_MAX_PART_SIZE"],
                max_parts=config["OAREPO_S3_MAX_PARTS"],
                max_size=config["OAREPO_S3_MAX_FILE_SIZE"],
            ),
            part_size=config["OAREPO_S3_PART_SIZE"],
            upload_lifetime=timedelta(seconds=config["OAREPO_S3_UPLOAD_LIFETIME"]),
            part_url_lifetime=timedelta(seconds=config["OAREPO_S3_PART_URL_LIFETIME"]),
            token_lifetime=timedelta(seconds=config["OAREPO_S3_TOKEN_LIFETIME"]),
            token_max_lifetime=timedelta(seconds=config["OAREPO_S3_TOKEN_MAX_LIFETIME"]),
            upload_role=config["OAREPO_S3_UPLOAD_ROLE"],
            grant_lifetime=timedelta(seconds=config["OAREPO_S3_GRANT_LIFETIME"]),
            grant_retention=timedelta(seconds=config["OAREPO_S3_GRANT_RETENTION"]),
            complete_timeout=timedelta(seconds=config["OAREPO_S3_COMPLETE_TIMEOUT"]),
            url_window=config["OAREPO_S3_URL_WINDOW"],
            max_urls=config["OAREPO_S3_MAX_URLS"],
            part_links=config["OAREPO_S3_PART_LINKS"],
            read_after_commit=config["OAREPO_S3_READ_AFTER_COMMIT"],
            page_size=config["OAREPO_S3_PAGE_SIZE"],
            sweep_batch=config["OAREPO_S3_SWEEP_BATCH"],
            sweep_threads=config["OAREPO_S3_SWEEP_THREADS"],
            check_interval=timedelta(seconds=config["OAREPO_S3_CHECK_INTERVAL"]),
            orphan_grace=timedelta(seconds=config["OAREPO_S3_ORPHAN_GRACE"]),
        )


class UploadContext:
    """The state of the extension in one application."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        """The application; sender of the signals."""
        self.commit_form: Callable[..., None] | None = None
        """Commits the file of a record that came by a form; nothing happens the second time. None
        where invenio-records-resources is not installed."""
        self.observer: Observer | None = None
        """Learns of every call to a store; None for nobody."""
        self.metrics: Callable[[], tuple[bytes, str]] | None = None
        """Returns the metrics and their content type; None where they are not served."""
        self._stores = Stores(self.store_config)

    @property
    def settings(self) -> Settings:
        """The settings as they are now."""
        return Settings.from_config(self.app.config)

    @property
    def key_marker(self) -> KeyMarker:
        """What makes the keys of this instance's objects recognisable, by its secret key."""
        return KeyMarker(self._secrets())

    @property
    def token_signer(self) -> TokenSigner:
        """What writes and reads the upload tokens of this instance.

        :raises RuntimeError: without a secret key: everybody could sign a token.
        """
        if not self.app.secret_key:
            raise RuntimeError("Upload tokens need SECRET_KEY, which signs them: it is not set.")
        return TokenSigner(self._secrets())

    def store(self, uri: str) -> ObjectStore:
        """Return the store that holds the object with this URI.

        :raises InvalidLocation: when no back end is installed for it.
        """
        return self._stores.get(ObjectURI.parse(uri))

    def site(self, bucket: str, origins: Sequence[str] = ()) -> Site:
        """Return who uses a bucket, as the settings say it.

        :param origins: of the pages that upload; without any, those of the settings.
        :raises InvalidRequest: for what is no origin.
        :raises StoreMisconfigured: when that stands in the settings.
        """
        return Site(
            origins=read_origins(origins) or self._own_origins(),
            bucket=bucket,
            role=self.app.config["OAREPO_S3_UPLOAD_ROLE"],
        )

    def _own_origins(self) -> list[str]:
        """Return the origins of the pages that upload, as the settings have them."""
        config = self.app.config
        name, written = "OAREPO_S3_ORIGINS", config["OAREPO_S3_ORIGINS"]
        if not written:
            name, written = "SITE_UI_URL", [_origin(config.get("SITE_UI_URL", ""))]
        try:
            return read_origins(filter(None, written))
        except InvalidRequest as error:
            raise StoreMisconfigured(reason=f"{name}: {error.context['reason']}") from error

    def _secrets(self) -> tuple[bytes, ...]:
        """Return the application's secret, and then the older ones that it still honours."""
        current = self.app.secret_key or ""
        older = self.app.config.get("SECRET_KEY_FALLBACKS") or []
        return tuple(s if isinstance(s, bytes) else s.encode() for s in (current, *older))

    def store_config(self, uri: ObjectURI) -> StoreConfig:
        """Describe the connection as invenio-s3 does, so that both speak to the same store.

        :raises StoreMisconfigured: when the profile that is configured, or kept, is none.
        """
        config = self.app.config
        info = self.app.extensions["invenio-s3"].init_s3fs_info
        connection = info["client_kwargs"]
        return StoreConfig(
            endpoint_url=connection.get("endpoint_url"),
            public_endpoint_url=config["OAREPO_S3_PUBLIC_ENDPOINT_URL"],
            region=connection.get("region_name"),
            credentials=_fixed_credentials(info["key"], info["secret"]),
            sts_endpoint_url=config["OAREPO_S3_STS_ENDPOINT_URL"],
            tenant=config["OAREPO_S3_TENANT"],
            verify=connection.get("verify"),
            profile=self._profile(uri, connection.get("endpoint_url")),
            observer=self.observer,
            complete_timeout=config["OAREPO_S3_COMPLETE_TIMEOUT"],
            silence_pause=config["OAREPO_S3_SILENCE_PAUSE"],
            client_options={
                "request_checksum_calculation": "when_required",
                "response_checksum_validation": "when_required",
                "connect_timeout": config["OAREPO_S3_CONNECT_TIMEOUT"],
                "read_timeout": config["OAREPO_S3_READ_TIMEOUT"],
                "retries": {
                    "mode": "standard",
                    "total_max_attempts": config["OAREPO_S3_MAX_ATTEMPTS"],
                },
                "max_pool_connections": config["OAREPO_S3_POOL_SIZE"],
                **info["config_kwargs"],
            },
        )

    def _profile(self, uri: ObjectURI, endpoint_url: str | None) -> Profile:
        """Return what was tried of a store; of one that was not, what is known of its kind."""
        expected = find_profile(self.app.config["OAREPO_S3_PROFILE"])
        if "sqlalchemy" not in self.app.extensions:
            return expected
        return kept_profile(place_of(uri), endpoint_url) or expected


def _origin(url: str) -> str:
    """Return the origin of a page's address; empty where there is none."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.scheme and parts.netloc else ""


def _fixed_credentials(access_key: str | None, secret_key: str | None) -> Credentials | None:
    if not (access_key and secret_key):
        return None
    return Credentials(str(access_key), str(secret_key))
