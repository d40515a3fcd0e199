# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Client of Invenio repositories with oarepo-s3, for machines that have no Invenio."""

from __future__ import annotations

from .version import __version__

__all__ = ("__version__",)
