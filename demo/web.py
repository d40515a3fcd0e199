# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The REST API's process: make the database, then serve."""

from __future__ import annotations

import json

import waitress
from invenio_db import db
from invenio_files_rest.models import Location

from .settings import Settings

_THREADS = 8


def main() -> None:
    """Serve until the process is ended; the port opens only when all is ready."""
    settings = Settings.from_environment()
    application = settings.load_application()
    app = application.create_app(settings)
    with app.app_context():
        made = application.fill_database(make_database(settings))
        db.session.commit()
    settings.handover_file.write_text(json.dumps(made))
    waitress.serve(app, host=settings.host, port=settings.port, threads=_THREADS)


def make_database(settings: Settings) -> Location:
    """Make the tables and the location."""
    # An attempt to start that lost its port to somebody else may have left one.
    settings.database.unlink(missing_ok=True)
    db.create_all()
    location = Location(name="demo", uri=f"s3://{settings.store_bucket}", default=True)
    db.session.add(location)
    db.session.flush()
    return location


if __name__ == "__main__":
    main()
