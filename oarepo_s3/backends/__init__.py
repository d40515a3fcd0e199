# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Object stores behind one protocol; nothing here knows Flask or the database."""

from __future__ import annotations

from .base import (
    ByteRange,
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
from .observe import Observer, expecting
from .operators import (
    Address,
    AdministersBucket,
    AdministersRights,
    IssuesCredentials,
    ListedObject,
    ListsObjects,
    Site,
)
from .profiles import Profile
from .registry import Stores

__all__ = (
    "Address",
    "AdministersBucket",
    "AdministersRights",
    "ByteRange",
    "Form",
    "IssuesCredentials",
    "ListedObject",
    "ListsObjects",
    "ListsUploads",
    "ObjectInfo",
    "ObjectStore",
    "Observer",
    "OpenUpload",
    "PartPage",
    "PartSigner",
    "PresignsDownloads",
    "PresignsParts",
    "Profile",
    "Site",
    "StoreConfig",
    "Stores",
    "StreamsObjects",
    "TakesForms",
    "expecting",
)
