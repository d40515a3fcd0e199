# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Files that nobody else may read, and that are either as before or complete."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MODE = 0o600
"""Read and written by the owner alone."""


def is_private(path: Path) -> bool:
    """Whether a file is there that only its owner can read."""
    return path.is_file() and stat.S_IMODE(path.stat().st_mode) == MODE


@contextmanager
def staged(path: Path, content: str) -> Iterator[None]:
    """Write a file beside its place, and put it into its place when the block ends well.

    So whatever cannot be written is known before the block begins, and a block that fails leaves
    the place as it was.

    :raises OSError: when it cannot be written.
    """
    # Such a file has the mode that it shall have from the first byte on.
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    staging = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        yield
        staging.replace(path)
    except BaseException:
        staging.unlink(missing_ok=True)
        raise
