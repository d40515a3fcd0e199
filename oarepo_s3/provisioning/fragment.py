# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The settings of an instance that uses a store, as ``invenio.cfg`` has them."""

from __future__ import annotations

import json
from collections.abc import Iterator

from .answers import Answers

SECRET_VARIABLE = "INVENIO_S3_SECRET_ACCESS_KEY"
"""Environment variable that the settings take the secret key from."""

HEADER = "# Written by `invenio s3 setup`."
"""First line of what may be replaced by another run."""


def write_fragment(answers: Answers, *, with_secret: bool) -> str:
    """Return the settings as a piece of Python.

    :param with_secret: whether the secret key stands in it; else the environment has to have it.
    """
    return "".join(f"{line}\n" for line in _lines(answers, with_secret))


def _lines(answers: Answers, with_secret: bool) -> Iterator[str]:
    yield HEADER
    yield f"# For the location {answers.location}, which is {answers.uri}: add it to invenio.cfg."
    from_environment = answers.secret_key is not None and not with_secret
    if from_environment:
        yield "import os"
    yield ""
    yield 'FILES_REST_STORAGE_FACTORY = "oarepo_s3.storage.s3_storage_factory"'
    settings = {
        "S3_ENDPOINT_URL": answers.endpoint,
        "S3_REGION_NAME": answers.region,
        "S3_ACCESS_KEY_ID": answers.access_key,
        "S3_SECRET_ACCESS_KEY": answers.secret_key,
        "OAREPO_S3_PROFILE": answers.profile,
        "OAREPO_S3_PUBLIC_ENDPOINT_URL": answers.public_endpoint,
        "OAREPO_S3_UPLOAD_ROLE": answers.role,
    }
    if from_environment:
        del settings["S3_SECRET_ACCESS_KEY"]
        yield f'S3_SECRET_ACCESS_KEY = os.environ.get("{SECRET_VARIABLE}")'
    for name, value in settings.items():
        # What JSON makes of a text, Python reads as the same text.
        yield f"{name} = {None if value is None else json.dumps(value)}"
