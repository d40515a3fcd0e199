# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Presigned URLs for one bucket: they sign the host alone unless a checksum is asked for, because
older Ceph fails the browser's preflight for anything more."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ..core.credentials import Credentials
from ..core.digests import Digest
from ..core.errors import StoreDenied
from ..core.times import utcnow
from .base import Form, PartSigner
from .config import StoreConfig
from .s3_clients import Clients
from .sigv4 import SigningScope, part_url_signer
from .translate import store_errors

MAX_URL_LIFETIME = timedelta(days=7)
"""The longest life that Signature Version 4 allows to a presigned URL."""


class UrlSigner:
    """Signs URLs with the server's own keys, for the address that clients can reach.

    :param bucket: as the store wants it in its addresses.
    """

    def __init__(self, bucket: str, config: StoreConfig, clients: Clients) -> None:
        self._bucket = bucket
        self._config = config
        self._session = clients.session
        self._client = clients.public

    def parts(self, key: str, upload_id: str, lifetime: timedelta) -> PartSigner:
        """Return a signer of part URLs that live at most ``lifetime``.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        credentials = self._credentials()
        expires_in = _url_lifetime(credentials, lifetime)

        def presign(part: int) -> str:
            return self._presign_part(key, upload_id, part, expires_in)

        def checked(part: int, digest: Digest) -> tuple[str, Mapping[str, str]]:
            parameter, header = _checksum_names(digest.algorithm)
            value = {parameter: digest.base64}
            url = self._presign_part(key, upload_id, part, expires_in, **value)
            return url, {header: digest.base64}

        sign = (
            part_url_signer(
                self._scope(credentials),
                bucket=self._bucket,
                key=key,
                upload_id=upload_id,
                expires_in=int(expires_in.total_seconds()),
                now=utcnow(),
            )
            if self._own_signer_agrees
            else presign
        )
        return PartSigner(sign, expires_in, checked)

    def download(self, key: str, lifetime: timedelta, headers: Mapping[str, str | None]) -> str:
        """Return a URL that answers GET with the object.

        :param headers: of the answer, by the SDK's names; those that are None are the object's own.
        """
        asked = {name: value for name, value in headers.items() if value}
        return self._presign(
            "get_object",
            {"Bucket": self._bucket, "Key": key, **asked},
            self.lifetime(lifetime),
        )

    def form(self, key: str, size: int, lifetime: timedelta) -> Form:
        """Return a form that makes an object with this key and of this size, and no other.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        expires_in = self.lifetime(lifetime)
        answer = {"success_action_status": "201"}
        # Ceph compares the policy with the bucket's name alone, and finds the bucket of a tenant
        # by the address alone: of a form it does not know in time whose keys have signed it.
        name = self._bucket.rpartition(":")[2]
        with store_errors():
            form = self._client.generate_presigned_post(
                name,
                key,
                Fields=answer,
                Conditions=[answer, ["content-length-range", size, size]],
                ExpiresIn=int(expires_in.total_seconds()),
            )
        url = form["url"]
        if name != self._bucket:
            url = f"{url.removesuffix(name)}{self._bucket}"
        return Form(url, form["fields"], expires_in)

    def lifetime(self, wanted: timedelta) -> timedelta:
        """Return how long a URL lives that is signed now: at most ``wanted``, in whole seconds.

        :raises StoreDenied: when there are no credentials, or they are about to end.
        """
        return _url_lifetime(self._credentials(), wanted)

    def _credentials(self) -> Credentials:
        if self._config.credentials is not None:
            return self._config.credentials
        with store_errors():
            found = self._session.get_credentials()
            if found is None:
                raise StoreDenied(reason="no credentials found")
            frozen = found.get_frozen_credentials()
        # Refreshable credentials keep their end in this attribute; the SDK has no public name
        # for it.
        expires_at = getattr(found, "_expiry_time", None)
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token, expires_at)

    def _scope(self, credentials: Credentials) -> SigningScope:
        meta = self._client.meta
        return SigningScope(meta.endpoint_url, meta.region_name, credentials)

    def _presign(self, operation: str, parameters: dict[str, Any], lifetime: timedelta) -> str:
        with store_errors():
            return str(
                self._client.generate_presigned_url(
                    operation, Params=parameters, ExpiresIn=int(lifetime.total_seconds())
                )
            )

    def _presign_part(
        self, key: str, upload_id: str, part: int, lifetime: timedelta, **checksum: str
    ) -> str:
        parameters = {
            "Bucket": self._bucket,
            "Key": key,
            "UploadId": upload_id,
            "PartNumber": part,
            **checksum,
        }
        return self._presign("upload_part", parameters, lifetime)

    @cached_property
    def _own_signer_agrees(self) -> bool:
        """Compare the own signer with the SDK's once, on this very client.

        Where they differ (virtual-host style, signature version 2, a special endpoint) the SDK
        signs; so no configuration can make the own signer hand out URLs that do not work.
        """
        credentials = self._credentials()
        lifetime = _url_lifetime(credentials, timedelta(minutes=1))
        theirs = self._presign_part("a key/+~", "upload~/+=", 1, lifetime)
        signed_at = parse_qs(urlsplit(theirs).query).get("X-Amz-Date")
        if not signed_at:
            return False
        ours = part_url_signer(
            self._scope(credentials),
            bucket=self._bucket,
            key="a key/+~",
            upload_id="upload~/+=",
            expires_in=int(lifetime.total_seconds()),
            now=datetime.strptime(signed_at[0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC),
        )
        return _same(ours(1), theirs)


def _same(one: str, other: str) -> bool:
    """Whether two URLs differ in nothing but the order of what is asked.

    The signature does not depend on it. With ``awscrt`` installed the SDK signs by other code,
    which writes another order.
    """
    first, second = urlsplit(one), urlsplit(other)
    return first._replace(query="") == second._replace(query="") and sorted(
        first.query.split("&")
    ) == sorted(second.query.split("&"))


def _url_lifetime(credentials: Credentials, wanted: timedelta) -> timedelta:
    lifetime = credentials.lifetime(min(wanted, MAX_URL_LIFETIME))
    if lifetime < timedelta(seconds=1):
        raise StoreDenied(reason="the server's temporary credentials have ended")
    return timedelta(seconds=int(lifetime.total_seconds()))


def _checksum_names(algorithm: str) -> tuple[str, str]:
    """Return the SDK's parameter and the header for the checksum of a part."""
    if algorithm == "md5":
        return "ContentMD5", "Content-MD5"
    return f"Checksum{algorithm.upper()}", f"x-amz-checksum-{algorithm}"
