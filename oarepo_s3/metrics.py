# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Metrics for Prometheus; only imported where prometheus-client is installed.

What the database knows is asked when somebody looks, so it is the same in every process. What only
a process knows, its calls to the store, it counts itself; with ``PROMETHEUS_MULTIPROC_DIR`` set,
each process writes its counts there and whoever is asked adds them up.

No label has more values than the code has names: no keys, no ids, no users.
"""

from __future__ import annotations

import logging
import os
import struct
from collections.abc import Iterable, Iterator

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from .services import Figures, read_figures

logger = logging.getLogger(__name__)

PREFIX = "oarepo_s3_"

_OWN = CollectorRegistry()
"""Apart from that of the site, which may be shown to others."""

_UNREADABLE = (OSError, RuntimeError, ValueError, struct.error)
"""What comes of a folder that processes should share and that is missing, broken or another user's:
uploads and the other metrics go on."""

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)

CALLS = Histogram(
    f"{PREFIX}store_call_seconds",
    "Time from a call to the store to the head of its answer, with the SDK's repetitions.",
    ["call"],
    buckets=_BUCKETS,
    registry=_OWN,
)
ERRORS = Counter(
    f"{PREFIX}store_call_errors",
    "Calls to the store that failed, by the code of the error.",
    ["call", "code"],
    registry=_OWN,
)


def observe(call: str, seconds: float, code: str | None) -> None:
    """Count a call to a store; see :class:`~oarepo_s3.backends.observe.Observer`."""
    try:
        CALLS.labels(call).observe(seconds)
        if code is not None:
            ERRORS.labels(call, code).inc()
    except _UNREADABLE as error:
        logger.warning(
            "A call to the store could not be counted (%s): can this process write to the folder"
            " PROMETHEUS_MULTIPROC_DIR?",
            type(error).__name__,
            extra={"action": "call_not_counted", "call": call},
        )


def render() -> tuple[bytes, str]:
    """Return all metrics as Prometheus reads them, and the content type of that."""
    registry = CollectorRegistry()
    registry.register(_Stored(read_figures()))
    registry.register(_Counted())
    return generate_latest(registry), CONTENT_TYPE_LATEST


class _Counted(Collector):
    """What the processes have counted."""

    def collect(self) -> Iterator[Metric]:
        """Yield those of this package alone: others may share the folder."""
        if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
            yield from (metric for metric in _together() if metric.name.startswith(PREFIX))
        else:
            yield from _OWN.collect()


def _together() -> Iterable[Metric]:
    """Return what all processes have written into the folder; nothing when it cannot be read."""
    try:
        collector = MultiProcessCollector(None)  # type: ignore[no-untyped-call]
        return list(collector.collect())  # type: ignore[no-untyped-call]
    except _UNREADABLE as error:
        logger.warning(
            "The metrics lack the calls to the store (%s): is PROMETHEUS_MULTIPROC_DIR a folder"
            " that this process can read? It has to be there, and empty, when the service starts.",
            type(error).__name__,
            extra={"action": "calls_not_shown"},
        )
        return []


class _Stored(Collector):
    """What the database knows."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield the uploads and the tasks."""
        yield from self._uploads()
        yield from self._runs()

    def _uploads(self) -> Iterator[Metric]:
        figures = self._figures
        by_state = GaugeMetricFamily(f"{PREFIX}uploads", "Uploads by state.", labels=["state"])
        for state, count in figures.uploads.items():
            by_state.add_metric([state.value], count)
        yield by_state
        yield GaugeMetricFamily(
            f"{PREFIX}open_bytes", "Declared size of the uploads under way.", figures.open_bytes
        )
        yield CounterMetricFamily(
            f"{PREFIX}completed_bytes", "Size of all completed uploads.", figures.completed_bytes
        )
        yield GaugeMetricFamily(
            f"{PREFIX}sweep_overdue_seconds",
            "For how long the upload that waits longest for the sweep is over its time.",
            figures.overdue.total_seconds(),
        )

    def _runs(self) -> Iterator[Metric]:
        ended = GaugeMetricFamily(
            f"{PREFIX}task_last_run_timestamp_seconds",
            "When a task last came to its end.",
            labels=["task"],
        )
        took = GaugeMetricFamily(
            f"{PREFIX}task_last_run_duration_seconds",
            "How long that run took.",
            labels=["task"],
        )
        results = GaugeMetricFamily(
            f"{PREFIX}task_last_run_results",
            "What that run came to: uploads, or for 'unlisted' locations.",
            labels=["task", "result"],
        )
        orphans = GaugeMetricFamily(
            f"{PREFIX}orphan_bytes", "Bytes that the found orphans still hold."
        )
        for run in self._figures.runs:
            ended.add_metric([run.task], run.finished_at.timestamp())
            took.add_metric([run.task], run.seconds)
            for result, count in run.counts.items():
                if result == "bytes":
                    # What a run has aborted is there no more.
                    orphans.add_metric([], 0 if run.counts["aborted"] else count)
                else:
                    results.add_metric([run.task, result], count)
        yield from (ended, took, results, orphans)
