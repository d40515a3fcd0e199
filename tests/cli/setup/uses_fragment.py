# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Uploads a file as an instance does that has the settings of a file: a process of its own.

``python -m tests.cli.setup.uses_fragment FILE DATABASE LOCATION``
"""

from __future__ import annotations

import sys
import types
from pathlib import Path

import urllib3
from invenio_app.factory import create_api
from invenio_db import db
from invenio_files_rest.models import Bucket, Location

from oarepo_s3.services import NewUpload, complete_upload, create_upload, sign_parts

from ...conftest import settings_for

CONTENT = b"What a repository keeps."


def main() -> None:
    """Upload, and say under which URI the file is."""
    path, database, name = sys.argv[1:]
    settings = types.ModuleType("config")
    exec(compile(Path(path).read_text(), path, "exec"), vars(settings))
    given = {key: value for key, value in vars(settings).items() if key.isupper()}
    app = create_api(**{**settings_for(None), **given, "SQLALCHEMY_DATABASE_URI": database})
    with app.app_context():
        bucket = Bucket.create(location=Location.get_by_name(name))
        db.session.commit()
        upload = create_upload(NewUpload(bucket_id=bucket.id, key="a", size=len(CONTENT)))
        (part,) = sign_parts(upload, [1])
        answer = urllib3.request("PUT", part.url, body=CONTENT)
        if answer.status != 200:
            raise SystemExit(f"{answer.status}: {answer.data!r}")
        print(complete_upload(upload).uri)


if __name__ == "__main__":
    main()
