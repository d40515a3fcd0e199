# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Two threads: one kills processes and takes the broker away, the other breaks connections.

They work at the same time: a call that a fault holds up is the one that a kill meets in the middle.
"""

from __future__ import annotations

import random
import time
from typing import Any

from tests.services import FaultProxy

from .ledger import Ledger
from .threads import Stoppable
from .world import BEAT, WEB, WORKERS, World

_BROKER_AWAY = 3


class Killer(Stoppable):
    """Kills one process after the other and starts each again."""

    def __init__(self, seed: int, seconds: float, world: World, ledger: Ledger) -> None:
        super().__init__("killer")
        self._rng = random.Random(f"{seed} killer")
        self._world = world
        self._ledger = ledger
        begun = time.monotonic()
        # The broker goes away twice, at times that every run of any length comes to.
        self._broker_times = [begun + seconds * share for share in (0.3, 0.7)]

    def work(self) -> None:
        """Kill."""
        while not self.stop.wait(self._rng.uniform(0.3, 1.5)):
            if self._broker_times and time.monotonic() > self._broker_times[0]:
                del self._broker_times[0]
                self._restart_broker()
            else:
                self._kill(self._rng.choice([*WEB, *WEB, *WEB, *WORKERS, *WORKERS, BEAT]))

    def _kill(self, name: str) -> None:
        self._world.kill(name)
        self._ledger.count(f"kill: {name.rstrip('0123456789')}")
        self.stop.wait(self._rng.choice([0, 0, 0.7]))
        self._world.start(name)

    def _restart_broker(self) -> None:
        self._world.stop_broker()
        self.stop.wait(_BROKER_AWAY)
        self._world.start_broker()
        self._ledger.count("restart: broker")


class Breaker(Stoppable):
    """Lets one fault after the other hold for a while."""

    def __init__(self, seed: int, world: World, ledger: Ledger) -> None:
        super().__init__("breaker")
        self._rng = random.Random(f"{seed} breaker")
        self._world = world
        self._ledger = ledger

    def work(self) -> None:
        """Break."""
        while not self.stop.wait(self._rng.uniform(0.2, 1)):
            who = self._rng.choices(["store", "parts", "database"], [5, 3, 2])[0]
            proxy, faults = {
                "store": (self._world.store_proxy, self._faults(2000)),
                "parts": (self._world.client_proxy, self._faults(2**20)),
                "database": (self._world.database_proxy, self._database_faults()),
            }[who]
            name = self._rng.choice(list(faults))
            self._break(f"{who}: {name}", proxy, *faults[name])

    def _faults(self, most: int) -> dict[str, tuple[dict[str, Any], tuple[float, float]]]:
        """Return the faults of a store by name: what goes wrong, and for how long.

        :param most: bytes after which a connection is cut, at most: some of a control call's, or
            many of a part's.
        """
        return {
            "latency": ({"latency": self._rng.uniform(0.1, 0.9)}, (1, 3)),
            "reset up": ({"reset_up": self._rng.randint(1, most)}, (0.3, 1.5)),
            "reset down": ({"reset_down": self._rng.randint(1, 600)}, (0.3, 1.5)),
            "drop response": ({"drop_response": True}, (0.3, 1.5)),
            "drop one response": ({"drop_response": True, "times": 1}, (0.3, 1)),
            "blackhole": ({"blackhole": True}, (2, 5)),
            "refuse": ({"refuse": True}, (0.3, 2)),
        }

    def _database_faults(self) -> dict[str, tuple[dict[str, Any], tuple[float, float]]]:
        """Return those of the database; its driver, without time-outs, waits on silence forever."""
        return {
            "reset up": ({"reset_up": self._rng.randint(1, 5000), "times": 3}, (0.3, 1)),
            "reset down": ({"reset_down": self._rng.randint(1, 9000), "times": 3}, (0.3, 1)),
            "drop responses": ({"drop_response": True, "times": 3}, (0.3, 1)),
            "latency": ({"latency": self._rng.uniform(0.01, 0.1)}, (0.5, 2)),
        }

    def _break(
        self, what: str, proxy: FaultProxy, faults: dict[str, Any], lasts: tuple[float, float]
    ) -> None:
        cuts = proxy.counters.cuts
        proxy.faults(**faults)
        self.stop.wait(self._rng.uniform(*lasts))
        proxy.faults()
        self._ledger.count(f"fault: {what}")
        self._ledger.count("connections cut", proxy.counters.cuts - cuts)
