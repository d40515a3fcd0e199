# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""oarepo-records-draft 5.5.8 on today's Invenio, for as long as some tests run.

The package was made for an older Invenio. Here it gets what it no longer finds, while its modules
are imported and nowhere else:

- ``invenio_records_rest.utils.check_elasticsearch``, which is called ``check_search`` now;
- ``invenio_indexer.utils.schema_to_index`` returning a tuple (index, document type);
- ``use_kwargs`` of webargs 5, which looked where each field said, by its ``locations``.

Its command line wants elasticsearch, and is left alone.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest import mock

import invenio_indexer.utils
import invenio_records_rest.utils
import webargs.flaskparser
from flask import abort, request
from invenio_base.signals import app_loaded
from marshmallow import ValidationError, missing

from ..services import Missing

FOLDER = Path(sys.prefix, "oarepo-records-draft")
REQUIREMENTS = Path(__file__).with_name("requirements.txt")
MODULES = ("ext", "endpoints", "record", "actions.files")


@contextmanager
def installed() -> Iterator[None]:
    """Let applications that are made meanwhile load the package by its entry points.

    :raises Missing: when it is not in its folder.
    """
    if not (FOLDER / "oarepo_records_draft").is_dir():
        raise Missing(
            "oarepo-records-draft",
            f"pip install --no-deps --target {FOLDER} -r {REQUIREMENTS}",
            "PyPI",
        )
    with mock.patch.object(sys, "path", [*sys.path, str(FOLDER)]):
        import_modules()
        yield


def import_modules() -> None:
    """Import the modules while what they look for is there."""
    current = invenio_indexer.utils.schema_to_index

    def schema_to_index(*args: Any, **kwargs: Any) -> tuple[str | None, str]:
        return current(*args, **kwargs), "_doc"

    with (
        warnings.catch_warnings(),
        mock.patch.object(
            invenio_records_rest.utils,
            "check_elasticsearch",
            invenio_records_rest.utils.check_search,
            create=True,
        ),
        mock.patch.object(invenio_indexer.utils, "schema_to_index", schema_to_index),
        mock.patch.object(webargs.flaskparser, "use_kwargs", use_kwargs),
    ):
        # Of pkg_resources, and of fields of marshmallow with arguments that are no longer theirs.
        warnings.simplefilter("ignore")
        for name in MODULES:
            importlib.import_module(f"oarepo_records_draft.{name}")


def use_kwargs(fields: dict[str, Any]) -> Any:
    """Pass what a request says as arguments, as webargs 5 did: 422 for what is wrong."""

    def decorate(view: Any) -> Any:
        @wraps(view)
        def inner(*args: Any, **kwargs: Any) -> Any:
            body = request.get_json(silent=True) if request.is_json else None
            places = {
                "query": request.args,
                "form": request.form,
                "json": body if isinstance(body, dict) else {},
            }
            for name, field in fields.items():
                given = [places[place] for place in field.metadata["locations"]]
                value = next((place[name] for place in given if name in place), missing)
                try:
                    kwargs[name] = field.deserialize(value)
                except ValidationError:
                    abort(422)
                if kwargs[name] is missing:
                    del kwargs[name]
            return view(*args, **kwargs)

        return inner

    return decorate


def forget(app: Any) -> None:
    """Let the package not hear of other applications, which do not have it."""
    app_loaded.disconnect(app.extensions["oarepo-draft"].app_loaded)
