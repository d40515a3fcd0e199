# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is printed in the pages, to be run as it is printed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_BLOCK = re.compile(r"^<!-- run: (\w+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str) -> list[str]:
    """Return the blocks of a page below ``<!-- run: kind -->``; there has to be one."""
    text = (ROOT / page).read_text()
    marked = _BLOCK.findall(text)
    assert len(marked) == text.count("<!-- run:"), f"a marker in {page} has no block"
    found = [body for name, body in marked if name == kind]
    assert found, f"no {kind} block in {page}"
    return found


def run(page: str, kind: str, **names: Any) -> dict[str, Any]:
    """Execute the Python blocks of a page, one after another; return the names they leave."""
    for number, body in enumerate(blocks(page, kind), 1):
        exec(compile(body, f"{page}, {kind} block {number}", "exec"), names)
    return names


def example(name: str) -> Any:
    """Return a JSON example of the pages."""
    return json.loads((DOCS / "examples" / f"{name}.json").read_text())
