# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""For a worker to import (``--include``): it kills its broker right before its next heartbeat.

A worker that waits for messages hears at once that its broker is gone. One that is about to send a
heartbeat, an event every two seconds, tries to send it without a word until the broker is back.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

from celery.signals import heartbeat_sent

ORDER = "OAREPO_S3_TEST_KILL_BROKER"
"""Variable with the path of the order: a file with the broker's process id."""


def order_kill(order: Path, pid: int) -> None:
    """Have this process killed by the worker that finds the order."""
    # By another name first: nobody is to read half a number.
    draft = order.with_suffix(".draft")
    draft.write_text(str(pid))
    draft.rename(order)


@heartbeat_sent.connect
def _kill_broker(**_: Any) -> None:
    order = Path(os.environ[ORDER])
    if order.exists():
        pid = int(order.read_text())
        order.unlink()
        os.kill(pid, signal.SIGKILL)
