# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Text that is not shown by accident."""

from __future__ import annotations


class Hidden(str):
    """A text whose repr does not show it; everything else treats it as any other text.

    Logs and tracebacks show values by their repr: SQLAlchemy the parameters of a statement, also in
    the message of an error, the SDK the parameters of a call.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'"
