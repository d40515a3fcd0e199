# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Object stores behind one protocol; nothing here knows Flask or the database."""

from __future__ import annotations

from .base import (
    Form,
    ListsUploads,
    ObjectInfo,
    ObjectStore,
    OpenUpload,
    PartPage,
    PartSigner,
    PresignsDownloads,
    PresignsParts,
    StreamsObjects,
    TakesForms,
)
from .config import StoreConfig
from .profiles import Profile
from .registry import Stores

__all__ = (
    "Form",
    "ListsUploads",
    "ObjectInfo",
    "ObjectStore",
    "OpenUpload",
    "PartPage",
    "PartSigner",
    "PresignsDownloads",
    "PresignsParts",
    "Profile",
    "StoreConfig",
    "Stores",
    "StreamsObjects",
    "TakesForms",
)
