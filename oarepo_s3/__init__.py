# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Direct multipart uploads to S3-compatible stores for Invenio repositories."""

from __future__ import annotations

from .ext import OARepoS3
from .version import __version__

__all__ = ("OARepoS3", "__version__")
