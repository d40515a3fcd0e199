# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The uploader for an instance's own webpack: what it names exists, in the versions of ``js/``."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from flask import Flask
from invenio_assets import InvenioAssets
from invenio_assets.webpack import WebpackBundleProject

from oarepo_s3.webpack import theme

ROOT = Path(__file__).parents[2]
MODULES = ROOT / "oarepo_s3" / "assets" / "semantic-ui" / "js" / "oarepo_s3"
BUNDLE = ROOT / "oarepo_s3" / "static" / "oarepo_s3"


@pytest.fixture
def bundle():
    return theme.themes["semantic-ui"]


@pytest.fixture(scope="module")
def package():
    return json.loads((ROOT / "js" / "package.json").read_text())


def test_its_dependencies_are_those_of_the_npm_package(bundle, package):
    assert bundle.dependencies["dependencies"] == {
        **package["dependencies"],
        **package["peerDependencies"],
    }


def test_its_modules_import_nothing_else(bundle):
    imported = set()
    for module in MODULES.glob("*.js"):
        found = re.findall(r"(?:from|import) ['\"]([^.'\"][^'\"]*)['\"]", module.read_text())
        imported |= {"/".join(name.split("/")[: 1 + name.startswith("@")]) for name in found}
    assert imported == set(bundle.dependencies["dependencies"])


def test_its_entry_is_a_module_beside_which_all_it_imports_stands(bundle):
    [entry] = bundle.entry.values()
    assert (MODULES.parents[1] / entry).is_file()
    for module in MODULES.glob("*.js"):
        for name in re.findall(
            r"(?:from|import|URL\()\s*['\"](\./[^'\"]+)['\"]", module.read_text()
        ):
            assert (MODULES / name).is_file(), f"{module.name} wants {name}"


def test_an_instance_gets_it_with_its_other_bundles(tmp_path):
    app = Flask("instance", instance_path=str(tmp_path), static_folder=str(tmp_path / "static"))
    InvenioAssets(app)
    project = WebpackBundleProject(
        "invenio_assets.webpack",
        project_folder="assets",
        config_path="build/config.json",
        bundles=[theme],
        package_json_source_path="rspack-package.json",
    )
    with app.app_context():
        project.create()
        made = Path(project.project_path)
    package = json.loads((made / "package.json").read_text())
    config = json.loads((made / "build" / "config.json").read_text())
    assert package["dependencies"]["@uppy/core"].startswith("^6")
    assert (made / config["entry"]["oarepo-s3-uploader"]).is_file()
    assert (made / config["aliases"]["@js/oarepo_s3"] / "style.css").is_file()


def test_the_bundle_of_the_package_has_all_files_that_it_refers_to():
    script = (BUNDLE / "uploader.js").read_text()
    styles = (BUNDLE / "uploader.css").read_text()
    names = re.findall(r'new URL\("\./([^"]+)",import\.meta\.url\)', script)
    names += re.findall(r'url\("?\./([^")]+)"?\)', styles)
    assert "md5.worker.js" in names
    assert set(names) | {"LICENSES.txt", "uploader.js", "uploader.css"} == {
        path.name for path in BUNDLE.iterdir()
    }


def test_the_bundle_of_the_package_keeps_to_a_strict_policy():
    """``default-src 'self'`` forbids what is inline, from elsewhere, or made at run time."""
    styles = (BUNDLE / "uploader.css").read_text()
    assert not re.search(r"data:|https?://(?!www\.w3\.org)|@import", styles)
    for name in ("uploader.js", "md5.worker.js"):
        script = (BUNDLE / name).read_text()
        assert not re.search(r"\beval\(|new Function\(", script), name
