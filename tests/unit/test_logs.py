# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Every log line of the package has an ``action``, and the page of log lines has all of them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from .test_arrows import MODULES

PAGE = Path(__file__).parents[2] / "docs/reference/logs.md"
LEVELS = {"debug", "info", "warning", "error", "exception", "critical", "log"}


def log_lines(source: str) -> Iterator[tuple[int, set[str]]]:
    """Yield where a module logs, and the actions that the line can have.

    ``extra`` has to be written out at the call, with ``"action"`` as a text, or as one of several.
    """
    for node in ast.walk(ast.parse(source)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in LEVELS and "logger" in ast.unparse(node.func.value).lower():
            extra = next((word.value for word in node.keywords if word.arg == "extra"), None)
            yield node.lineno, actions_of(extra)


def actions_of(extra: ast.expr | None) -> set[str]:
    """Return the texts that stand at ``"action"``; those of a condition are none of them."""
    if not isinstance(extra, ast.Dict):
        return set()
    for key, value in zip(extra.keys, extra.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "action":
            choices = [value.body, value.orelse] if isinstance(value, ast.IfExp) else [value]
            return {str(each.value) for each in choices if isinstance(each, ast.Constant)}
    return set()


LINES = [
    (f"{name}:{line}", actions)
    for name, source in sorted(MODULES.items())
    for line, actions in log_lines(source)
]


def test_every_line_has_an_action():
    assert len(LINES) > 10
    assert [place for place, actions in LINES if not actions] == []


def test_the_page_has_each_action_and_no_other():
    described = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    assert len(described) == len(set(described))
    assert set(described) == set.union(*(actions for _, actions in LINES))


@pytest.mark.parametrize(
    ("call", "found"),
    [
        ("logger.info('a', extra={'action': 'b', **more})", {"b"}),
        ("self._logger.warning('a', extra={'action': 'b' if c == 'd' else 'e'})", {"b", "e"}),
        ("logger.exception('a')", set()),
        ("logger.error('a', extra={'key': 'b'})", set()),
        ("logger.error('a', extra=extra)", set()),
        ("logger.error('a', extra={'action': name})", set()),
    ],
)
def test_what_is_read_of_a_line(call, found):
    assert [actions for _, actions in log_lines(call)] == [found]
