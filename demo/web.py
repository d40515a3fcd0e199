# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The REST API's process: make the database, then serve."""

from __future__ import annotations

import waitress
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from .config import create_app
from .settings import Settings

_THREADS = 8


def main() -> None:
    """Serve until the process is ended; the port opens only when all is ready."""
    settings = Settings.from_environment()
    app = create_app(settings)
    with app.app_context():
        settings.bucket_file.write_text(make_database(settings))
    waitress.serve(app, host=settings.host, port=settings.port, threads=_THREADS)


def make_database(settings: Settings) -> str:
    """Make the tables, the location and a bucket in it, and return the bucket's id."""
    # An attempt to start that lost its port to somebody else may have left one.
    settings.database.unlink(missing_ok=True)
    db.create_all()
    location = Location(name="demo", uri=f"s3://{settings.store_bucket}", default=True)
    db.session.add(location)
    db.session.flush()
    bucket = str(Bucket.create(location=location).id)
    db.session.commit()
    return bucket


if __name__ == "__main__":
    main()
