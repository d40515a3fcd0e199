# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The figures of a run, as lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from .compare import Line
from .evidence import Evidence
from .ledger import Ledger

_SHOWN = 20


def figures(evidence: Evidence, ledger: Ledger, results: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what happened."""
    yield from _table("uploads by state", Counter(row["state"] for row in evidence.uploads))
    yield from _table("clients' stories", Counter(told.story for told in ledger.uploads))
    yield from _table("counts", ledger.counts)
    objects = evidence.objects.values()
    yield from _table(
        "store", {"objects": len(objects), "bytes": sum(found.size for found in objects)}
    )
    yield "answers per call:"
    for call, statuses in sorted(ledger.statuses.items()):
        mean = ledger.spent[call] / statuses.total()
        yield f"  {call:24} {mean:5.2f} s, at most {ledger.longest[call]:5.2f} s: " + ", ".join(
            f"{number} x {status}" for status, number in sorted(statuses.items())
        )
    yield "results of tasks, summed:"
    for task, sums in sorted(summed(results).items()):
        yield f"  {task:36} " + ", ".join(f"{name} {number}" for name, number in sums.items())


def comparison(lines: list[Line]) -> Iterator[str]:
    """Yield each comparison, and the differences of those that are not equal."""
    yield "comparison:"
    for line in lines:
        word, sign = ("equal  ", "=") if line.equal else ("UNEQUAL", "/")
        yield f"  {word} {line.what}: {line.left:,} {sign} {line.right:,}"
        for difference in line.differences[:_SHOWN]:
            yield f"            {difference}"
        if len(line.differences) > _SHOWN:
            yield f"            and {len(line.differences) - _SHOWN} more"


def summed(results: list[dict[str, Any]]) -> dict[str, Counter[str]]:
    """Add up what the runs of each task have returned."""
    sums: dict[str, Counter[str]] = {}
    for found in results:
        task = sums.setdefault(found["task"].rpartition(".")[2], Counter())
        task["runs"] += 1
        task["runs that raised"] += found["failed"] is not None
        for name, value in (found["result"] or {}).items():
            task[name] += len(value) if isinstance(value, list) else value
    return sums


def _table(title: str, counts: dict[str, int]) -> Iterator[str]:
    yield f"{title}:"
    for name, number in sorted(counts.items()):
        yield f"  {name:36} {number:>12,}"
