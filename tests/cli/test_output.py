# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What commands say when nothing works."""

from __future__ import annotations

import pytest

from oarepo_s3.cli import s3

from ..conftest import settings_for
from ..services import free_port

COMMANDS = pytest.mark.parametrize("command", ["uploads list", "scopes list", "check"])


@pytest.fixture
def run(create_app):
    """Run a command of an instance with a database, which has to fail; return what it says."""

    def run_command(command, database):
        app = create_app(
            **settings_for(None), SECRET_KEY="a secret", SQLALCHEMY_DATABASE_URI=database
        )
        done = app.test_cli_runner().invoke(s3, command.split())
        assert (done.exit_code, done.stdout) == (1, "")
        assert "SELECT" not in done.stderr
        return done.stderr

    return run_command


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def empty_database(request, tmp_path):
    """A database before `invenio alembic upgrade`."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server = request.getfixturevalue("postgres")
    yield server.create_database("without_tables")
    server.drop_database("without_tables")


@COMMANDS
def test_a_database_without_the_tables_is_a_sentence(run, empty_database, command):
    said = run(command, empty_database)
    assert "The database was reached" in said
    assert "Run `invenio alembic upgrade`." in said
    assert "cannot be reached" not in said


@COMMANDS
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_database_that_is_away_is_another_one(run, tmp_path, kind, command):
    address = {
        "sqlite": f"sqlite:///{tmp_path}/no/folder/file.db",
        "postgres": f"postgresql+psycopg2://somebody@127.0.0.1:{free_port()}/none",
    }[kind]
    said = run(command, address)
    assert "The database cannot be reached right now." in said
    assert "alembic" not in said


@pytest.mark.parametrize("name", ["", "two words", "a/b", "x" * 256])
@pytest.mark.parametrize("command", ["bucket create", "policy cors --bucket"])
def test_what_no_bucket_can_be_called_is_a_wrong_call(app, database, command, name):
    done = app.test_cli_runner().invoke(s3, [*command.split(), name])
    assert done.exit_code == 2
    assert f"{name!r} cannot be the name of a bucket." in done.output


def test_a_wrong_value_is_told_in_the_words_of_a_command(app, location):
    words = ["policy", "trust", "--role", "arn:aws:iam:::role/r", "--principal", "foo"]
    done = app.test_cli_runner().invoke(s3, words)
    assert done.exit_code == 2
    assert "foo" in done.output
    assert "send it again" not in done.output
