# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The client as it is installed: without the server, and with the same files in it as that."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from oarepo_s3_client.cli import TOKEN_VARIABLE, main

ROOT = Path(__file__).parents[2]
CLIENT = ROOT / "client" / "src" / "oarepo_s3_client"
MODULES = sorted(CLIENT.rglob("*.py"))
ALLOWED = {"click", "urllib3"}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*.py")}


def test_what_the_server_needs_as_well_is_the_same_byte_by_byte():
    """Neither may import the other, and what they write has to be equal."""
    server = ROOT / "oarepo_s3"
    assert files(CLIENT / "tool_configs") == files(server / "core" / "tool_configs")
    twin = "private_file.py"
    assert (CLIENT / twin).read_bytes() == (server / "cli" / twin).read_bytes()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(CLIENT)))
def test_it_imports_nothing_but_its_dependencies_and_is_read_by_python_3_9(path):
    tree = ast.parse(path.read_text(), feature_version=(3, 9))
    names = {
        name.partition(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    }
    assert names - ALLOWED <= sys.stdlib_module_names


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A folder with what setuptools would put into a wheel, made of a copy of the sources."""
    copy = tmp_path_factory.mktemp("client") / "sources"
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    shutil.copytree(ROOT / "client", copy, ignore=unwanted)
    subprocess.run(
        [
            *[sys.executable, "-W", "ignore", "-c", "import setuptools; setuptools.setup()"],
            *["-q", "build_py", "--build-lib", "built"],
        ],
        cwd=copy,
        check=True,
        capture_output=True,
        timeout=120,
    )
    return copy / "built"


def test_every_file_of_the_package_ships(built):
    assert files(built / "oarepo_s3_client") == files(CLIENT)
    assert (built / "oarepo_s3_client" / "py.typed").is_file()


def test_the_command_that_is_installed_is_there():
    described = tomllib.loads((ROOT / "client" / "pyproject.toml").read_text())["project"]
    assert described["scripts"] == {"oarepo-s3": "oarepo_s3_client.cli:main"}
    assert {re.match("[a-z0-9-]+", each)[0] for each in described["dependencies"]} == ALLOWED
    assert callable(main)


def test_it_runs_where_the_server_package_is_not(built, tmp_path):
    # A module that is None cannot be imported.
    code = (
        "import sys; sys.modules['oarepo_s3'] = sys.modules['flask'] = None;"
        "from oarepo_s3_client.cli import main; main(prog_name='oarepo-s3')"
    )
    arguments = ["credentials", "a:b", "--format", "env", "--url", "http://example.org"]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(built), TOKEN_VARIABLE: "token"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: --url begins with http")
