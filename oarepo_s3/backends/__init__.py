# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Object stores behind one protocol; nothing here knows Flask or the database."""

from __future__ import annotations

from .base import (
    ObjectInfo,
    ObjectStore,
    PartPage,
    PartSigner,
    PresignsDownloads,
    PresignsParts,
)
from .config import StoreConfig
from .registry import Stores

__all__ = (
    "ObjectInfo",
    "ObjectStore",
    "PartPage",
    "PartSigner",
    "PresignsDownloads",
    "PresignsParts",
    "StoreConfig",
    "Stores",
)
