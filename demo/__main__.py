# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``python -m demo``: start the servers, then serve, or upload one file; see run-demo.sh."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path

from . import once
from .arguments import Wish, parse
from .guide import guide
from .servers import Repository
from .show import Show, run


def main() -> int:
    """Do what the command line says and return the exit status."""
    wish = parse(sys.argv[1:])
    show = Show(
        name="demo",
        application="demo.application",
        port=wish.port,
        # Files of any size are dropped on the page, and parts in memory would be as large.
        streaming=True,
        once=partial(_once, wish) if wish.once else None,
        guide=guide,
    )
    return run(show)


def _once(wish: Wish, repository: Repository, directory: Path) -> str:
    file = once.prepare(wish, directory)
    return once.run(repository.api, repository.made["bucket"], file, wish.part_size)


if __name__ == "__main__":
    sys.exit(main())
