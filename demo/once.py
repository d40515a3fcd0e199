# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``--once``: take one file all the way, and compare what comes back."""

from __future__ import annotations

import hashlib
import mimetypes
import os
from pathlib import Path

from .arguments import Wish
from .client import Client
from .errors import DemoError
from .progress import Bar, human, step
from .transfer import THREADS, send_parts

_MADE_UP_SIZE = 200_000_000
_PIECE = 2**20
_LONGEST_KEY = 255


def prepare(wish: Wish, directory: Path) -> Path:
    """Return the file to upload; make one up below ``directory`` if there was no wish."""
    if wish.file is not None:
        return wish.file
    file = directory / "made-up.bin"
    with step("make a file") as running, file.open("wb") as output:
        for offset in range(0, _MADE_UP_SIZE, _PIECE):
            output.write(os.urandom(min(_PIECE, _MADE_UP_SIZE - offset)))
        running.note = f"{human(_MADE_UP_SIZE)} of random bytes"
    return file


def run(api: str, bucket: str, file: Path, part_size: int | None) -> str:
    """Upload, complete, download and compare; return what was done, in a few words.

    :raises DemoError: when a step fails.
    :raises OSError: when the file cannot be read.
    """
    client = Client(api, bucket, THREADS)
    size, key = file.stat().st_size, _key(file)
    with step("create upload") as running:
        content_type = mimetypes.guess_type(key)[0]
        session = client.create(key, size, content_type=content_type, part_size=part_size)
        parts = f"{session.num_parts} part" + ("s" if session.num_parts != 1 else "")
        running.note = f"{human(size)} in {parts}"
    with step("upload parts") as running:
        bar = Bar(running, size)
        send_parts(client, session, file, size, bar)
        running.note = f"{bar.rate()}, {THREADS} at a time, straight to the store"
    with step("complete") as running:
        described = client.complete(session)
        running.note = f"checksum {described['file']['checksum']}"
    with step("download by redirect") as running:
        bar = Bar(running, size)
        received = client.download(key, bar)
        running.note = bar.rate()
    with step("compare SHA-256") as running:
        with file.open("rb") as source:
            expected = hashlib.file_digest(source, "sha256").hexdigest()
        if received != expected:
            raise DemoError(f"{received} came back for {expected}")
        running.note = expected
    return f"{human(size)} went up in {parts} and came back the same"


def _key(file: Path) -> str:
    """Return the file's name as text that a repository takes: no control characters."""
    # A name on disk is bytes, not necessarily text.
    name = os.fsencode(file.name).decode(errors="replace")
    return "".join(sign if sign.isprintable() else "_" for sign in name)[:_LONGEST_KEY]
