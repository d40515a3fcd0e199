# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the bucket does by itself: its rule for uploads that nobody ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ..core.errors import StoreError
from ..core.quantities import show_count
from .bench import Bench
from .explain import is_denied, is_lacking, reason_of
from .findings import Level


def probe_lifecycle(bench: Bench) -> None:
    """Compare the bucket's rules for incomplete uploads with the time that an upload may take."""
    try:
        document = bench.store.read_document("lifecycle")
    except StoreError as error:
        bench.stop_at(error)
        if is_lacking(error):
            why = "the store has no lifecycle rules"
        elif is_denied(error):
            why = "the keys may not s3:GetLifecycleConfiguration"
        else:
            why = f"the store failed to say it ({reason_of(error)})"
        bench.found("lifecycle", Level.NOTE, f"Rules for incomplete uploads: not seen, {why}.")
        return
    rules = list(_rules(document or {}, bench.subject.base))
    shortest = min((days for _, days, _ in rules), default=None)
    if shortest is not None and timedelta(days=shortest) < bench.subject.upload_lifetime:
        _too_short(bench, *next(rule for rule in rules if rule[1] == shortest))
    elif shortest is None or not any(whole for _, _, whole in rules):
        bench.found(
            "lifecycle",
            Level.WARNING,
            "No rule removes uploads that nobody ends: should this repository lose its database,"
            " their parts are paid for, for ever.",
            bench.subject.lifecycle_command,
        )
    else:
        bench.found(
            "lifecycle",
            Level.OK,
            f"Uploads that nobody ends are removed after {show_count(shortest, 'day')}.",
        )


def _too_short(bench: Bench, name: str, days: int, _: bool) -> None:
    wanted = bench.subject.upload_lifetime
    bench.found(
        "lifecycle",
        Level.FAILURE,
        f"The bucket's rule {name!r} removes uploads after {show_count(days, 'day')}, and"
        f" OAREPO_S3_UPLOAD_LIFETIME lets them take {wanted / timedelta(days=1):.4g}: slow uploads"
        " are lost.",
        f"Remove that rule, then: {bench.subject.lifecycle_command}  (or shorten"
        " OAREPO_S3_UPLOAD_LIFETIME)",
    )


def _rules(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, int, bool]]:
    """Yield the rules that remove incomplete uploads of the location: name, days, and whether they
    are for all of them."""
    for rule in document.get("Rules", ()):
        days = rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation")
        if rule.get("Status") != "Enabled" or days is None:
            continue
        below = _prefix_of(rule)
        if prefix.startswith(below) or below.startswith(prefix):
            yield rule.get("ID", "without a name"), days, prefix.startswith(below)


def _prefix_of(rule: Mapping[str, Any]) -> str:
    chosen = rule.get("Filter", {})
    return str(
        rule.get("Prefix") or chosen.get("Prefix") or chosen.get("And", {}).get("Prefix") or ""
    )
