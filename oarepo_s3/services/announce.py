# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Tell others what has been committed."""

from __future__ import annotations

import logging
from typing import Any

from invenio_db import db

from ..proxies import current_s3

logger = logging.getLogger(__name__)


def announce(signal: Any, **what: Any) -> None:
    """Send a signal that follows a commit.

    What is committed has happened: a receiver that fails (because it sends a task, and the broker
    is down) is logged, and stops neither the other receivers nor the answer to the client.
    """
    for receiver in signal.receivers_for(current_s3.app):
        try:
            receiver(current_s3.app, **what)
        except Exception:
            db.session.rollback()
            logger.exception(
                "A receiver of a signal failed after the commit.",
                extra={"action": "receiver_failed", "signal": signal.name},
            )
