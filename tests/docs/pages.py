# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What is printed in the pages, to be run as it is printed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.services.process import clean_environment

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
_REDIRECTING = ("http_proxy", "https_proxy", "all_proxy", "HTTP", "HTTPS", "ALL_PROXY", "CURL")
_TIMEOUT = 120
_BLOCK = re.compile(r"^<!-- run: (\w+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(page: str, kind: str) -> list[str]:
    """Return the blocks of a page below ``<!-- run: kind -->``; there has to be one."""
    text = (ROOT / page).read_text()
    marked = _BLOCK.findall(text)
    assert len(marked) == text.count("<!-- run:"), f"a marker in {page} has no block"
    found = [body for name, body in marked if name == kind]
    assert found, f"no {kind} block in {page}"
    return found


def run_commands(
    commands: list[str], folder: Path, timeout: float = _TIMEOUT, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run commands one after another in a folder, until one fails.

    :param timeout: seconds for all of them together.
    :param environment: variables beside those of the caller, of whom no proxy and no file of
        curl's settings is left.
    """
    given = clean_environment(*_REDIRECTING)
    programs = f"{Path(sys.executable).parent}:{given['PATH']}"
    return subprocess.run(
        ["bash", "-eu", "-o", "pipefail", "-c", "\n".join(commands)],
        cwd=folder,
        env={**given, "PATH": programs, "HOME": str(folder), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def run(page: str, kind: str, **names: Any) -> dict[str, Any]:
    """Execute the Python blocks of a page, one after another; return the names they leave."""
    for number, body in enumerate(blocks(page, kind), 1):
        exec(compile(body, f"{page}, {kind} block {number}", "exec"), names)
    return names


def example(name: str) -> Any:
    """Return a JSON example of the pages."""
    return json.loads((DOCS / "examples" / f"{name}.json").read_text())
