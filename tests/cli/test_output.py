# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What commands say when nothing works."""

from __future__ import annotations

import pytest

from oarepo_s3.cli import s3

from ..conftest import settings_for


@pytest.mark.parametrize("command", ["uploads list", "scopes list", "check"])
def test_a_database_without_the_tables_is_a_sentence(create_app, tmp_path, command):
    app = create_app(
        **settings_for(None),
        SECRET_KEY="a secret",
        SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / 'empty.db'}",
    )
    done = app.test_cli_runner().invoke(s3, command.split())
    assert done.exit_code == 1
    assert "run `invenio alembic upgrade`" in done.output
    assert "SELECT" not in done.output


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
