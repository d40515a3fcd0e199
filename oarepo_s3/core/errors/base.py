# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What all errors have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar


class UploadError(Exception):
    """Anything that this package refuses or cannot do.

    :param errors: details per field or part, as ``{"field": ..., "message": ...}``.
    :param context: what the sentence mentions; also kept as :attr:`context` for log lines.
    """

    code: ClassVar[str] = "upload_error"
    status: ClassVar[int] = 500
    message: ClassVar[str] = "The upload failed. Try again; if it goes on, tell the operator."
    retry_after: ClassVar[int | None] = None
    """Seconds after which a repetition makes sense, or None."""

    def __init__(self, *, errors: Sequence[dict[str, Any]] = (), **context: Any) -> None:
        self.errors = list(errors)
        self.context = context
        super().__init__(self.message.format(**context))
