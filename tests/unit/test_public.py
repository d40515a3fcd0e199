# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the package offers to others: names that exist, in order, and types that ship."""

from __future__ import annotations

import importlib
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from importlib.resources import files
from pathlib import Path

import pytest

import oarepo_s3

ROOMS = [
    "oarepo_s3",
    "oarepo_s3.api",
    "oarepo_s3.backends",
    "oarepo_s3.services",
    "oarepo_s3.views",
]
PACKAGE = Path(oarepo_s3.__file__).parent


@pytest.mark.parametrize("room", ROOMS)
def test_public_names_exist_once_and_in_order(room):
    module = importlib.import_module(room)
    assert module.__all__
    assert list(module.__all__) == sorted(set(module.__all__))
    for name in module.__all__:
        assert getattr(module, name) is not None


@pytest.mark.parametrize("room", ROOMS[1:])
def test_public_classes_and_functions_are_described(room):
    module = importlib.import_module(room)
    for name in module.__all__:
        assert (getattr(module, name).__doc__ or "").strip(), name


@pytest.mark.parametrize(
    "name",
    [
        "oarepo_s3:OARepoS3",
        "oarepo_s3.storage:S3FileStorage",
        "oarepo_s3.storage:s3_storage_factory",
        "oarepo_s3.api:MultipartUpload",
        "oarepo_s3.views:MultipartUploadCompleteResource",
        "oarepo_s3.views:MultipartUploadAbortResource",
        "oarepo_s3.views:multipart_actions",
        "oarepo_s3.tasks:cleanup_expired_multipart_uploads",
        "oarepo_s3.signals:before_upload_complete",
        "oarepo_s3.signals:after_upload_complete",
        "oarepo_s3.signals:before_upload_abort",
        "oarepo_s3.signals:after_upload_abort",
    ],
)
def test_the_names_of_the_contract_are_there(name):
    module, _, attribute = name.partition(":")
    assert hasattr(importlib.import_module(module), attribute)


def test_all_entry_points_of_the_distribution_load():
    own = distribution("oarepo-s3").entry_points
    groups = {point.group for point in own}
    assert {"invenio_base.api_apps", "oarepo_s3.backends", "invenio_db.models"} <= groups
    for point in own:
        # A directory, which invenio-db finds by the package and its name.
        if point.group == "invenio_db.alembic":
            assert (PACKAGE / point.attr).is_dir()
        else:
            assert point.load() is not None


def test_py_typed_is_there():
    assert files("oarepo_s3").joinpath("py.typed").is_file()


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The package as setuptools would put it into a wheel; built from a copy of the sources."""
    root = PACKAGE.parent
    if not (root / "setup.cfg").exists():
        root = Path(__file__).parents[2]
    copy = tmp_path_factory.mktemp("sources")
    for name in ("setup.cfg", "setup.py", "MANIFEST.in", "pyproject.toml", "LICENSE"):
        shutil.copy(root / name, copy)
    for name in ("README.md", "CHANGES.md"):
        (copy / name).write_text("")
    shutil.copytree(PACKAGE, copy / "oarepo_s3", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run(
        [sys.executable, "setup.py", "-q", "build_py", "--build-lib", "built"],
        cwd=copy,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return copy / "built" / "oarepo_s3"


def test_every_file_of_the_package_ships(built):
    def contents(directory: Path) -> set[str]:
        return {
            str(path.relative_to(directory))
            for path in directory.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }

    assert "py.typed" in contents(built)
    assert contents(built) == contents(PACKAGE)
