# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The plugin that runs the tests of others with our storage, and what compares the runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ..upstream import __main__ as runner
from ..upstream.oarepo_s3_upstream import search_answer

PLUGIN = Path(runner.__file__).with_name("oarepo_s3_upstream.py")

USES_IT = """
import importlib.metadata

import flask
import invenio_s3
import invenio_s3.storage
import pytest

@pytest.fixture(scope="module")
def app_config(app_config):
    app_config["SEEN"] = app_config.get("FILES_REST_STORAGE_FACTORY")
    return app_config

def origin(thing):
    return f"{thing.__module__}.{thing.__name__}"

def make(kind, **kwargs):
    app = flask.Flask("test")
    app.config["S3_DEFAULT_BLOCK_SIZE"] = 1
    with app.app_context():
        return kind("/nowhere/file", **kwargs)
"""

CONFTEST = """
import pytest

from invenio_s3 import S3FSFileStorage

@pytest.fixture
def imported():
    return S3FSFileStorage
"""

GETS_OURS = """
@pytest.mark.parametrize("data", [b"x" * 10**6, b"short"])
def test_names(data, request):
    assert request.node.name in ("test_names[data-1000000-bytes]", "test_names[short]")

def test_search():
    from opensearchpy import OpenSearch

    client = OpenSearch()
    assert client.index("records", {}, id="7")["result"] == "created"
    client.search(index="records")

def test_it(app_config, imported):
    assert imported is invenio_s3.S3FSFileStorage
    storage = make(imported, size=7)
    assert origin(type(storage)) == "oarepo_s3.storage.S3FileStorage"
    assert storage._size == 7
    for module in (invenio_s3, invenio_s3.storage):
        assert origin(module.s3fs_storage_factory) == "oarepo_s3.storage.s3_storage_factory"
    assert app_config["SEEN"] == "oarepo_s3.storage.s3_storage_factory"
"""

GETS_STOCK = """
def test_it(app_config):
    storage = make(invenio_s3.S3FSFileStorage)
    assert origin(type(storage)) == "invenio_s3.storage.S3FSFileStorage"
    for module in (invenio_s3, invenio_s3.storage):
        assert origin(module.s3fs_storage_factory) == "invenio_s3.storage.s3fs_storage_factory"
    assert app_config["SEEN"] is None
    found = {one.name for one in importlib.metadata.entry_points(group="invenio_base.apps")}
    assert "invenio_s3" in found
    assert "oarepo_s3" not in found
"""

GETS_BOTH = """
def test_it():
    make(invenio_s3.S3FSFileStorage)
    make(invenio_s3.storage.S3FSFileStorage)
"""

GETS_NONE = """
def test_it():
    pass
"""


def run_plugin(directory: Path, mode: str, test: str) -> tuple[int, str]:
    """Run a test with the plugin, as the runner does; returns pytest's status and what it said."""
    (directory / "test_one.py").write_text(USES_IT + test)
    # pytest imports it before it configures plugins.
    (directory / "conftest.py").write_text(CONFTEST)
    (directory / "pytest.ini").write_text("[pytest]\n")
    checkout = PLUGIN.parents[2]
    environment = {name: value for name, value in os.environ.items() if name != "SEARCH_HOSTS"}
    environment |= {
        "OAREPO_S3_UPSTREAM": mode,
        "PYTHONPATH": os.pathsep.join([str(PLUGIN.parent), str(checkout)]),
    }
    options = ["-q", "-rs", "-p", PLUGIN.stem, "-p", "no:cacheprovider"]
    run = subprocess.run(
        [sys.executable, "-m", "pytest", *options],
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout + run.stderr


@pytest.mark.parametrize(
    ("mode", "test", "status", "said"),
    [
        pytest.param(
            "ours",
            GETS_OURS,
            0,
            [
                "oarepo_s3.storage.S3FileStorage 1",
                "needs a search engine: POST /records/_search",
                "3 passed, 1 skipped",
            ],
            id="ours",
        ),
        pytest.param(
            "stock",
            GETS_STOCK,
            0,
            ["invenio_s3.storage.S3FSFileStorage 1", "1 passed"],
            id="stock",
        ),
        pytest.param("ours", GETS_NONE, 3, ["Our storage class was not used."], id="ours-unused"),
        pytest.param(
            "ours",
            GETS_BOTH,
            3,
            ["invenio-s3's own storage class was used."],
            id="stock-in-ours",
        ),
        pytest.param("theirs", GETS_NONE, 4, ["one of stock, ours"], id="unknown-mode"),
    ],
)
def test_tests_of_others_get_what_the_mode_says(tmp_path, mode, test, status, said):
    got, output = run_plugin(tmp_path, mode, test)
    assert [words for words in said if words not in output] == [], output
    assert got == status, output


@pytest.mark.parametrize(
    ("method", "url"), [("GET", "/records/_doc/1"), ("POST", "/_bulk"), ("GET", "/_search")]
)
def test_what_only_an_engine_knows_is_skipped(method, url):
    with pytest.raises(pytest.skip.Exception, match=f"{method} {url}"):
        search_answer(method, url)


def test_outcomes_are_read_and_compared(tmp_path):
    report = tmp_path / "report.xml"
    case = '<testcase classname="{}" name="{}">{}</testcase>'
    cases = [
        case.format("a", "good", ""),
        case.format("a", "bad", '<failure message="no &#10;more"/>'),
        case.format("a", "broken", '<error message="lost"/>'),
        case.format("a", "left", '<skipped message="search"/>'),
        # Passed, and then broken in its teardown.
        case.format("a", "late", ""),
        case.format("a", "late", '<error message="late"/>'),
    ]
    report.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    run = runner.read_report(report, ok=True)
    assert run.counts() == "1 passed, 1 failed, 2 error, 1 skipped"
    assert runner.not_passed(run) == [
        "a::bad: failed  no",
        "a::broken: error  lost",
        "a::late: error  late",
    ]
    good = runner.Run({"a::good": "passed", "a::bad": "passed"}, {}, ok=True)
    assert runner.differences(good, run) == [
        "a::bad: passed -> failed  no",
        "a::broken: not run -> error  lost",
        "a::late: not run -> error  late",
        "a::left: not run -> skipped  search",
    ]
    assert runner.differences(run, run) == []


def test_a_run_that_was_broken_off_is_no_success(tmp_path):
    assert not runner.read_report(tmp_path / "missing.xml", ok=True).ok


def test_only_the_tests_of_a_checkout_are_copied(tmp_path):
    checkout = tmp_path / "checkout"
    for name in ("tests", "invenio_s3"):
        (checkout / name).mkdir(parents=True)
        (checkout / name / "__init__.py").touch()
    (checkout / "LICENSE").touch()
    runner.copy_tests(checkout, tmp_path)
    found = {path.name for path in (tmp_path / "suite").iterdir()}
    assert found == {"tests", "LICENSE", "pytest.ini"}
