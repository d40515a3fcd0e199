# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The command line, read with the standard library alone: before there is an environment.

Run as a module it only says whether there is something to run: status 3 if there is, 2 for a
mistake, 0 when all that was wanted was the help.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SOMETHING_TO_RUN = 3

_MEBI = 2**20
_HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asked for.

    :param once: upload one file and end, instead of serving.
    :param file: the file to upload; None to make one up.
    :param part_size: bytes of a part; None to leave it to the server.
    :param port: port of the REST API; None for a free one.
    """

    once: bool
    file: Path | None
    part_size: int | None
    port: int | None


def parse(arguments: Sequence[str]) -> Wish:
    """Read the command line; a mistake ends the process with status 2."""
    parser = argparse.ArgumentParser(
        prog="run-demo.sh",
        description="Direct multipart uploads, shown on this machine alone. Without --once the"
        " servers run until Ctrl-C, and it is printed how to upload with curl.",
        epilog="The port of the REST API is taken from the environment variable PORT.",
        allow_abbrev=False,
    )
    parser.add_argument("--once", action="store_true", help="upload one file, compare, and end")
    parser.add_argument("file", nargs="?", metavar="FILE", help="the file (default: made up)")
    parser.add_argument("--part-size", type=int, metavar="MIB", help="size of a part, at least 5")
    given = parser.parse_args(arguments)
    if not given.once and (given.file is not None or given.part_size is not None):
        parser.error("FILE and --part-size are for --once")
    if given.part_size is not None and given.part_size < 1:
        parser.error("--part-size is a number of MiB")
    file = None if given.file is None else Path(given.file)
    if file is not None and (reason := _why_not(file)):
        parser.error(f"cannot upload {given.file!r}: {reason}")
    return Wish(
        once=given.once,
        file=file,
        part_size=None if given.part_size is None else given.part_size * _MEBI,
        port=read_port(parser),
    )


def _why_not(file: Path) -> str | None:
    """Say why a file cannot be uploaded."""
    try:
        with file.open("rb"):
            return None if file.is_file() else "not a regular file"
    except OSError as error:
        return error.strerror or type(error).__name__


def read_port(parser: argparse.ArgumentParser) -> int | None:
    """Return the port that the environment asks for; a mistake ends the process with status 2."""
    text = os.environ.get("PORT", "")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _HIGHEST_PORT):
        parser.error(f"PORT is no port number: {text!r}")
    return int(text)


if __name__ == "__main__":
    parse(sys.argv[1:])
    sys.exit(SOMETHING_TO_RUN)
