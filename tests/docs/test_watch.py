# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the page about monitoring prints for Prometheus is right, as far as that can be read."""

from __future__ import annotations

import logging
import re
from typing import Any

import pytest
import yaml

from oarepo_s3.config import OAREPO_S3_URL_PREFIX
from oarepo_s3.core.errors import StoreError
from oarepo_s3.services import orphans, recover, sweep

from ..unit.test_errors import CATALOGUE
from .pages import DOCS, run

PAGE = (DOCS / "howto/watch.md").read_text()
METRICS = dict(re.findall(r"^\| `(oarepo_s3_\w+)` \| \w+ \| (.*?) \|", PAGE, re.MULTILINE))
DURATION = re.compile(r"\d+[smhd]")


def block(name: str) -> Any:
    """Return what a block of the page says."""
    found = re.search(rf"<!-- check: {name} -->\n```yaml\n(.*?)^```$", PAGE, re.M | re.S)
    return yaml.safe_load(found[1])


RULES = [rule for group in block("rules")["groups"] for rule in group["rules"]]


def test_prometheus_is_told_where_to_ask():
    [job] = block("scrape")["scrape_configs"]
    assert job["metrics_path"] == f"/api{OAREPO_S3_URL_PREFIX}/metrics"
    assert DURATION.fullmatch(job["scrape_interval"])
    # Prometheus sends what is in the file as a Bearer token unless another type is named.
    assert list(job["authorization"]) == ["credentials_file"]
    assert job["static_configs"] == [{"targets": ["repo.example.org"]}]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_each_rule_asks_for_metrics_and_labels_that_there_are(rule):
    assert set(rule) == {"alert", "expr", "for", "labels", "annotations"}
    assert DURATION.fullmatch(rule["for"])
    assert set(rule["annotations"]) == {"summary", "description"}
    asked = re.findall(r"(oarepo_s3_\w+)(?:\{(.*?)\})?", rule["expr"])
    assert asked
    for metric, selector in asked:
        labels = dict(re.findall(r'(\w+)=~?"([\w|]+)"', selector))
        assert {f"`{label}`" for label in labels} <= set(METRICS[metric].split(", ")), metric
        codes = re.findall(r'code=~"([\w|]+)"', selector)
        assert {code for each in codes for code in each.split("|")} <= {
            kind.code for kind in CATALOGUE
        }
        assert labels.get("task", "sweep") in {"sweep", "orphans", "recovery", "verification"}
        results = {
            name
            for counts in (sweep.SweepCounts(), recover.RecoverCounts(), orphans.OrphanCounts())
            for name in counts.as_dict()
        }
        assert labels.get("result", "failed") in results
    for opening, closing in ("()", "[]", "{}"):
        assert rule["expr"].count(opening) == rule["expr"].count(closing)


def test_nobody_is_woken_by_what_clients_can_bring_about():
    """They may send other parts than they said, or replace an object that is being copied."""
    [rule] = [rule for rule in RULES if rule["labels"]["severity"] == "page"]
    [codes] = re.findall(r'\{code=~"([\w|]+)"\}', rule["expr"])
    of_stores = {kind for kind in CATALOGUE if issubclass(kind, StoreError)}
    assert set(codes.split("|")) == {
        kind.code for kind in of_stores - {StoreError} if kind.status >= 500
    }


def test_there_are_three_rules_of_different_names():
    assert len({rule["alert"] for rule in RULES}) == len(RULES) == 3


def test_the_log_is_set_up_as_it_is_printed():
    logger = logging.getLogger("oarepo_s3")
    before = logger.level
    try:
        run("docs/howto/watch.md", "logs")
        assert logging.getLogger("oarepo_s3.services.complete").isEnabledFor(logging.INFO)
    finally:
        logger.setLevel(before)
