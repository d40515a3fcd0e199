# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``python -m examples.records``: start the servers, then serve, or run the README's commands."""

from __future__ import annotations

import sys
from pathlib import Path

from demo.errors import DemoError
from demo.progress import step
from demo.servers import Repository
from demo.show import Show, run
from tests.docs.pages import blocks, run_commands

from .arguments import parse

README = "examples/records/README.md"

_GUIDE = """
S3 server    {store}
logs         {logs}/*/log

All of it listens on this machine only (loopback). Nothing is kept at the end.

Paste this into another terminal, and then the commands of {readme}.

{exports}

Ctrl-C ends the example.
"""


def main() -> int:
    """Do what the command line says and return the exit status."""
    wish = parse(sys.argv[1:])
    show = Show(
        name="example",
        application="examples.records.app",
        port=wish.port,
        # A reader may send a part again, which a stream could not take.
        streaming=False,
        once=run_readme if wish.once else None,
        guide=guide,
    )
    return run(show)


def variables(repository: Repository) -> dict[str, str]:
    """Return what the README's commands take from the environment: an address and two tokens."""
    tokens = {name.upper(): token for name, token in repository.made.items()}
    return {"API": repository.api, **tokens}


def guide(repository: Repository, directory: Path) -> str:
    """Return the text to print while it serves."""
    exports = "\n".join(f"export {name}={value}" for name, value in variables(repository).items())
    return _GUIDE.format(store=repository.store, logs=directory, readme=README, exports=exports)


def run_readme(repository: Repository, directory: Path) -> str:
    """Run the commands as they are printed, and show what they print.

    :raises DemoError: when one of them fails.
    """
    commands = blocks(README, "sh")
    folder = directory / "pasted"
    folder.mkdir()
    with step("run the README") as running:
        done = run_commands(commands, folder, **variables(repository))
        if done.returncode != 0:
            raise DemoError(f"status {done.returncode}\n{done.stdout}{done.stderr}")
        running.note = f"{len(commands)} blocks"
    print(done.stdout, end="")
    return f"the {len(commands)} blocks of {README} do what it says"


if __name__ == "__main__":
    sys.exit(main())
