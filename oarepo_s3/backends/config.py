# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How to reach a store: one frozen value per location."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..core.credentials import Credentials
from .observe import Observer
from .profiles import PROFILES, Profile


@dataclass(frozen=True, slots=True)
class StoreConfig:
    """The connection of a location.

    :param endpoint_url: where the server reaches the store; None for AWS itself.
    :param public_endpoint_url: where clients reach it, when that is another address; presigned
        URLs are made for this one.
    :param region: the region name, None for the SDK's default.
    :param credentials: fixed keys; None to let the SDK find and refresh them.
    :param sts_endpoint_url: where the server asks for temporary keys; None for the store's own
        address, or for that of AWS.
    :param tenant: the Ceph tenant that owns the bucket, when it is not the keys' own.
    :param verify: path of a CA bundle, or None for the SDK's default.
    :param client_options: keyword arguments of ``botocore.config.Config``.
    :param complete_timeout: seconds to wait for the answer to a complete call.
    :param silence_pause: seconds for which a store that kept silent is not asked again.
    :param profile: what the store can do; :func:`~oarepo_s3.backends.profiles.find_profile` has
        those of the kinds of stores.
    :param observer: learns of every call; None for nobody.
    """

    endpoint_url: str | None = None
    public_endpoint_url: str | None = None
    region: str | None = None
    credentials: Credentials | None = None
    sts_endpoint_url: str | None = None
    tenant: str | None = None
    verify: str | None = None
    client_options: Mapping[str, Any] = field(default_factory=dict)
    complete_timeout: float = 50
    silence_pause: float = 10
    profile: Profile = PROFILES["other"]
    observer: Observer | None = None
