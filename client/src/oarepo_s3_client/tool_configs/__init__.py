# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What S3 tools are configured with: keys to a prefix or an object, as each tool wants them.

This folder is in the repository twice, byte by byte: in ``oarepo_s3.core`` and in the client, which
runs where no Invenio is, and so can import nothing from there. A test compares the two. The code
here needs nothing but the standard library, and Python 3.9.
"""

from __future__ import annotations

from .access import ToolAccess, ToolConfigError, profile_name
from .documents import FORMATS, document, usage
from .merging import check_mergeable, merge

__all__ = (
    "FORMATS",
    "ToolAccess",
    "ToolConfigError",
    "check_mergeable",
    "document",
    "merge",
    "profile_name",
    "usage",
)
