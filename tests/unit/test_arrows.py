# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The one way through the house: who may import whom. A row is a room; no arrow runs backwards.

``.core`` is a room of this package, ``flask.current_app`` a name of another one. The standard
library and the room itself are open to all.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import oarepo_s3

from .arrows import complaints, imports_of, modules_of

DATABASE = {"sqlalchemy", "invenio_db"}
FILES = {"invenio_files_rest"}

MAY_IMPORT: dict[str, set[str]] = {
    # An optional package of compiled checksums, what signs tokens, and names of hosts in ASCII.
    "core": {"anycrc", "itsdangerous", "idna"},
    "backends": {".core", "boto3", "botocore"},
    "config": set(),
    "signals": {"blinker"},
    "version": set(),
    "models": {".core", *DATABASE, "sqlalchemy_utils"},
    "proxies": {"flask.current_app", "werkzeug.local"},
    "services": {".core", ".backends", ".models", ".proxies", ".signals"}
    | DATABASE
    | FILES
    | {"flask.current_app", "flask.has_app_context"}
    # to name the owners of uploads
    | {"invenio_accounts.proxies"},
    # The other record stack is asked for its permissions and links; it may not be installed.
    "record_access": {".models", "flask.g", "invenio_pidstore.errors", "sqlalchemy.exc"}
    | {"invenio_records_resources.proxies", "invenio_records_resources.services.base"}
    | {"invenio_records_resources.services.FileService"},
    "permissions": {".core", ".models", ".record_access", *FILES, "flask_login"}
    # to ask for somebody who is not logged in
    | {"invenio_access", "invenio_access.utils", "invenio_accounts.models"},
    "api": {".core", ".models", ".services", "flask.current_app"},
    "downloads": {".core", ".backends", "flask", *FILES, "invenio_s3.storage"},
    "storage": {".core", ".backends", ".proxies", ".services", ".api", ".downloads"}
    | FILES
    | {"invenio_s3", "flask"},
    "transfers": {".core", ".backends", ".models", ".proxies", ".services"}
    | {".api", ".signals", ".storage", ".tasks"}
    | {*DATABASE, *FILES, "flask", "invenio_records_resources"}
    # to commit what came by a form, on nobody's behalf
    | {"invenio_access.permissions"}
    # to know errors of file services when it sees them
    | {"flask_principal", "invenio_pidstore.errors"},
    "views": {".core", ".models", ".proxies", ".services", ".permissions", ".version", ".api"}
    | {".record_access", "flask", "marshmallow"}
    # where a token opens a draft
    | {".transfers"}
    | FILES
    # to know a database that is away, and a body that cannot be read, when it sees one; and to
    # find a permission factory by its name
    | {"sqlalchemy.exc", "werkzeug.exceptions", "werkzeug.utils"}
    # to act as the user of a token, and to let Uppy in, which has no CSRF token
    | {"flask_principal", "invenio_accounts.proxies", "invenio_rest.csrf"},
    "tasks": {".services", "celery"},
    # a browser's requests are made without the SDK
    "provisioning": {".core", ".backends", "urllib3"},
    # Loaded by the extension, where it is installed.
    "metrics": {".services", "prometheus_client"},
    # Loaded by invenio-admin, where that is installed.
    "admin": {".core", ".models", ".services", "flask", "flask_admin", "flask_principal"}
    | {"flask_wtf", "invenio_access.permissions", "invenio_accounts.models", "invenio_db"}
    | {"markupsafe"},
    "cli": {".core", ".backends", ".models", ".proxies", ".services", ".provisioning"}
    # to tell the operator which right the owner of a scope lacks
    | {".permissions"}
    | {*FILES, "click", "flask", "invenio_s3.cli", "yaml"}
    # to find the owner of a scope
    | {"invenio_accounts.models", "invenio_accounts.proxies"}
    # to know a database that is away
    | {"sqlalchemy.exc"},
    # Only invenio-assets itself imports it.
    "webpack": {"invenio_assets.webpack"},
    "ext": {".backends.redact", ".config", ".services.context", "flask"}
    # to know of its transfers, where it is installed, and to commit what came by a form
    | {"invenio_records_resources.config", ".signals", ".transfers.forms"}
    # to have calls counted, where somebody asks for the counts
    | {".metrics"},
    "": {".ext", ".version"},
    "alembic": {"alembic", "sqlalchemy", "sqlalchemy_utils"},
}

DIRECTORY = Path(oarepo_s3.__file__).parent
MODULES = modules_of(DIRECTORY)
PACKAGES = {name for name in MODULES if (DIRECTORY / Path(*name.split("."))).is_dir()}


def test_no_arrow_runs_backwards():
    assert complaints(MODULES, PACKAGES, MAY_IMPORT) == []


def test_all_rooms_of_the_table_exist():
    assert set(MAY_IMPORT) == {name.partition(".")[0] for name in MODULES}


@pytest.mark.parametrize(
    ("room", "others"),
    [
        ("core", "flask sqlalchemy boto3 botocore invenio_db invenio_files_rest requests"),
        ("backends", "flask sqlalchemy invenio_db invenio_files_rest invenio_s3 .models .services"),
        ("services", "werkzeug flask.request flask.Response .views boto3 botocore .storage .api"),
        ("views", "boto3 botocore .backends .storage .ext"),
        ("ext", ".services.create .views .models .storage"),
        ("models", ".services .backends .proxies flask"),
    ],
)
def test_the_table_itself_keeps_to_the_design(room, others):
    for other in others.split():
        assert complaints({room: bad_module(other)}, set(), MAY_IMPORT), other


def bad_module(target: str) -> str:
    base, _, name = target.rpartition(".")
    if target.startswith("."):
        return f"from oarepo_s3{base} import {name}"
    return f"from {base} import {name}" if base else f"import {target}"


MADE_UP = """
from __future__ import annotations
import os.path
import flask as f, json
from flask import request
from ..services.create import create_upload
from .. import views
from ..core.errors import UploadError
from . import memory
from oarepo_s3.models import Upload
if TYPE_CHECKING:
    from ..ext import OARepoS3
def late():
    try:
        import boto3.session
    except ImportError:
        from ..storage import S3FileStorage
"""
MADE_UP_MODULES = {
    "backends.bad": MADE_UP,
    **dict.fromkeys(["backends.memory", "views", "services.create", "core.errors"], ""),
}


def test_a_made_up_bad_module_is_caught_wherever_it_hides_its_imports():
    assert complaints(MADE_UP_MODULES, {"views"}, MAY_IMPORT) == [
        "backends.bad imports flask",
        "backends.bad imports flask.request",
        "backends.bad imports .services.create",
        "backends.bad imports .views",
        "backends.bad imports .models",
        "backends.bad imports .storage",
    ]


def test_a_room_without_a_row_is_caught():
    assert complaints({"attic.box": ""}, set(), MAY_IMPORT) == ["attic.box has no row in the table"]


def test_relative_imports_of_a_package_are_read_from_the_package_itself():
    source = "from .registry import Stores\nfrom ..core import uris\nfrom .. import proxies"
    modules = {"backends", "backends.registry", "core.uris", "proxies"}
    found = list(imports_of("backends", source, modules, is_package=True))
    assert found == [".backends.registry", ".core.uris", ".proxies"]
