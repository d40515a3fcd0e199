# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""``invenio s3`` of an instance that knows no store.

``python -m tests.cli.setup.console DATABASE COMMAND...``
"""

from __future__ import annotations

import sys

from flask.cli import ScriptInfo
from invenio_app.factory import create_api

from oarepo_s3.cli import s3

from ...conftest import settings_for


def main() -> None:
    """Run the command that the arguments name."""
    database, *arguments = sys.argv[1:]
    settings = {**settings_for(None), "SQLALCHEMY_DATABASE_URI": database}
    s3.main(arguments, obj=ScriptInfo(create_app=lambda: create_api(**settings)))


if __name__ == "__main__":
    main()
