# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How commands speak: results on standard output, complaints on the other, and the exit status.

0 when all is well, 1 when something was refused or failed, 2 when the command was called wrongly.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial, wraps
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar, cast

import click
from flask.cli import with_appcontext
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError

from ..core.errors import DatabaseUnavailable, InvalidLocation, InvalidRequest, UploadError

Command = TypeVar("Command", bound=Callable[..., Any])

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
"""For commands whose result a machine may read."""

dry_run_option = click.option(
    "--dry-run", is_flag=True, help="Say what would be done, and change nothing."
)
"""For commands that change something."""

_LACKING = re.compile(r"no such (table|column)|has no column")
"""What SQLite says of its tables, by an error that also means other things."""


def operator_command(command: Command) -> Command:
    """Run a command in the application; errors of the catalogue are sentences, and exit with 1."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except InvalidRequest as error:
            # What was typed cannot be right: the command was called wrongly.
            raise click.UsageError(f"{error.context['reason']} ({error.code})") from error
        except InvalidLocation as error:
            # Whoever types the command is the operator, who is meant to mend it.
            raise click.ClickException(
                f"{error.context['uri']} is in no location that is at a store: name another one, or"
                f" make one with `invenio s3 setup`. ({error.code})"
            ) from error
        except UploadError as error:
            raise click.ClickException(f"{error} ({error.code})") from error
        except (InterfaceError, OperationalError, ProgrammingError) as error:
            raise click.ClickException(_of_database(error)) from error

    return cast(Command, with_appcontext(run))


def _of_database(error: DBAPIError) -> str:
    """Say what an error of the database means; its own text shows statements with their values."""
    kind = type(error.orig).__name__
    if isinstance(error, ProgrammingError) or _LACKING.search(str(error.orig)):
        return (
            f"The database was reached, and refused a statement ({kind}): its tables may be"
            " missing, or older than this package. Run `invenio alembic upgrade`."
        )
    return f"{DatabaseUnavailable()} ({kind})"


def say(lines: Iterable[str], data: Any, *, as_json: bool) -> None:
    """Print the result: as lines for people, or as JSON.

    :param data: what JSON can say, with names in snake_case.
    """
    if as_json:
        click.echo(json.dumps(data, indent=2))
        return
    for line in lines:
        click.echo(line)


@contextmanager
def printed_whole() -> Iterator[IO[str]]:
    """Open a document that is printed when the block ends well, and otherwise not at all.

    It waits on the disk, since it may be longer than memory; and whoever reads JSON can do nothing
    with half of it.
    """
    with TemporaryFile("w+", encoding="utf-8") as document:
        yield document
        document.seek(0)
        for piece in iter(partial(document.read, 2**16), ""):
            click.echo(piece, nl=False)
