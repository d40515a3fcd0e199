# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the log lines about an upload have in common."""

from __future__ import annotations

from typing import Any

from ..models import Upload


def about(upload: Upload) -> dict[str, Any]:
    """Return the fields by which a log line names an upload: ids and bytes, no key and no address.

    Take them before the commit that the line tells of: to read the row afterwards would open a
    transaction again.
    """
    return {
        "upload": str(upload.id),
        "bucket": str(upload.bucket_id),
        "user": upload.user_id,
        "size": upload.size,
    }
