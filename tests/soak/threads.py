# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What all threads of a soak have in common."""

from __future__ import annotations

import threading


class Stoppable(threading.Thread):
    """A thread that can be told to stop, and whose error is shown by whoever waits for it."""

    def __init__(self, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self.stop = threading.Event()
        self.error: Exception | None = None

    def run(self) -> None:
        """Work; an error ends the thread and is kept."""
        try:
            self.work()
        except Exception as error:  # noqa: BLE001
            self.error = error

    def work(self) -> None:
        """Do what the thread is for, until ``stop`` is set."""
        raise NotImplementedError
