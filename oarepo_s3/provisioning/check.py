# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The doctor: try at a store what uploads need of it, and say what it means."""

from __future__ import annotations

from .findings import Report
from .subject import Subject


def check_store(subject: Subject) -> Report:
    """Try everything at a store, and remove what was made for it.

    Errors of the store are findings; nothing of them is raised.
    """
    raise NotImplementedError
