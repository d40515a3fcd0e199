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
