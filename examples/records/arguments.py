# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The command line; run as a module, it only says whether there is something to run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from demo.arguments import SOMETHING_TO_RUN, read_port


@dataclass(frozen=True, slots=True)
class Wish:
    """What the caller asked for.

    :param once: run the commands of the README and end, instead of serving.
    :param port: port of the REST API; None for a free one.
    """

    once: bool
    port: int | None


def parse(arguments: Sequence[str]) -> Wish:
    """Read the command line; a mistake ends the process with status 2."""
    parser = argparse.ArgumentParser(
        prog="run-example.sh",
        description="Records with drafts and files on this machine alone. Without --once the"
        " servers run until Ctrl-C, and the address and tokens are printed.",
        epilog="The port of the REST API is taken from the environment variable PORT.",
        allow_abbrev=False,
    )
    parser.add_argument(
        "--once", action="store_true", help="run the commands of examples/records/README.md, end"
    )
    given = parser.parse_args(arguments)
    return Wish(once=given.once, port=read_port(parser))


if __name__ == "__main__":
    parse(sys.argv[1:])
    sys.exit(SOMETHING_TO_RUN)
