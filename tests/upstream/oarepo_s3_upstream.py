# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""A pytest plugin that runs the tests of others with our storage: ``-p oarepo_s3_upstream``.

Its name is its own, and not ``tests.upstream...``: the others have a package ``tests``, too. The
environment variable ``OAREPO_S3_UPSTREAM`` says what is tested:

``ours``
    Whoever asks invenio-s3 for its storage class or its factory gets ours, and so does an
    application that names no factory. The run fails when our class was never used, or when
    invenio-s3's own was.
``stock``
    This package is not installed, as far as anybody can see.
"""

from __future__ import annotations

import importlib.metadata
import os
import sys
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest

MODE_VARIABLE = "OAREPO_S3_UPSTREAM"
FACTORIES = {
    "stock": None,
    "ours": "oarepo_s3.storage.s3_storage_factory",
}
"""The factory that an application gets which names none, by mode."""
LONGEST_ID = 40

INDEX_CALLS = ("_alias", "_aliases", "_index_template", "_refresh", "_settings", "_template")
DOCUMENT_CALLS = {"PUT": "created", "POST": "created", "DELETE": "deleted"}

used: Counter[str] = Counter()
"""How many storages were made, by the name of the class."""


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Swap before a conftest imports what it tests."""
    mode = os.environ.get(MODE_VARIABLE)
    if mode not in FACTORIES:
        raise pytest.UsageError(f"{MODE_VARIABLE} has to be one of {', '.join(FACTORIES)}")
    patch = pytest.MonkeyPatch()
    early_config.add_cleanup(patch.undo)
    if mode == "ours":
        swap_storage(patch)
    else:
        hide_package(patch)
    count_storages(patch)
    if "SEARCH_HOSTS" not in os.environ:
        replace_search(patch)


def pytest_configure(config: pytest.Config) -> None:
    """Set the factory after pytest-invenio's settings."""
    config.addinivalue_line("markers", "manual: for people, with a store of their own")
    if factory := FACTORIES[os.environ[MODE_VARIABLE]]:
        config.pluginmanager.register(DefaultFactory(factory), "oarepo-s3-upstream-factory")


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long bytes by their length: invenio-s3's have 100 MB of random ones in their names."""
    if isinstance(val, bytes) and len(val) > LONGEST_ID:
        return f"{argname}-{len(val)}-bytes"
    return None


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail a run with ours that did not use ours."""
    if os.environ[MODE_VARIABLE] == "ours" and complaint(used):
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Say which classes were used, and what is wrong with that."""
    terminalreporter.write_line(
        "storages made: " + (", ".join(f"{name} {n}" for name, n in used.items()) or "none")
    )
    if os.environ[MODE_VARIABLE] == "ours" and (wrong := complaint(used)):
        terminalreporter.write_line(wrong, red=True)


def complaint(made: Counter[str]) -> str | None:
    """Return what is wrong with the storages of a run with ours."""
    if not made["oarepo_s3.storage.S3FileStorage"]:
        return "Our storage class was not used."
    if made["invenio_s3.storage.S3FSFileStorage"]:
        return "invenio-s3's own storage class was used."
    return None


class DefaultFactory:
    """Its fixture comes after pytest-invenio's of the same name, and before that of a conftest."""

    def __init__(self, factory: str) -> None:
        self._factory = factory

    @pytest.fixture(scope="module")
    def app_config(self, app_config: dict[str, Any]) -> dict[str, Any]:
        """Take the factory, unless the tests name one."""
        app_config["FILES_REST_STORAGE_FACTORY"] = self._factory
        return app_config


def swap_storage(patch: pytest.MonkeyPatch) -> None:
    """Give ours to whoever asks invenio-s3 for its storage class or its factory.

    The class keeps its name in the module that defines it, where ``super(S3FSFileStorage, self)``
    looks for it.
    """
    import invenio_s3
    import invenio_s3.storage

    from oarepo_s3.storage import S3FileStorage, s3_storage_factory

    patch.setattr(invenio_s3, "S3FSFileStorage", S3FileStorage)
    for module in (invenio_s3, invenio_s3.storage):
        patch.setattr(module, "s3fs_storage_factory", s3_storage_factory)


def hide_package(patch: pytest.MonkeyPatch) -> None:
    """Let this package have no entry points: Invenio does not load what it does not find."""
    discover = importlib.metadata.Distribution.discover

    def others(**kwargs: Any) -> Iterable[importlib.metadata.Distribution]:
        return (one for one in discover(**kwargs) if one.metadata["Name"] != "oarepo-s3")

    patch.setattr(importlib.metadata.Distribution, "discover", others)


def count_storages(patch: pytest.MonkeyPatch) -> None:
    """Count the storages that are made, but for those that invenio-s3 makes for itself.

    Its ``update()`` writes by a second storage, always of its own class.
    """
    from invenio_files_rest.storage import PyFSFileStorage

    init = PyFSFileStorage.__init__

    def counting(self: Any, *args: Any, **kwargs: Any) -> None:
        if maker(sys._getframe(1)) != "invenio_s3.storage":
            used[f"{type(self).__module__}.{type(self).__name__}"] += 1
        init(self, *args, **kwargs)

    patch.setattr(PyFSFileStorage, "__init__", counting)


def maker(frame: Any) -> str:
    """Return the module that made an object in whose ``__init__`` the frame is, or which it is."""
    while frame.f_code.co_name == "__init__":
        frame = frame.f_back
    return str(frame.f_globals["__name__"])


def replace_search(patch: pytest.MonkeyPatch) -> None:
    """Do without a search engine: it takes every document, and who searches is skipped.

    With the environment variable ``SEARCH_HOSTS`` the engine that it names is used.
    """
    try:
        from opensearchpy import Transport
    except ImportError:
        # invenio-s3 has nothing to search.
        return

    def answer(self: object, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        return search_answer(method, url)

    patch.setattr(Transport, "perform_request", answer)


def search_answer(method: str, url: str) -> Any:
    """Answer what changes indices and documents; a test that wants to know more is skipped."""
    words = url.strip("/").split("/")
    if method == "HEAD":
        return False
    if words == [""]:
        return {"version": {"number": "2.0.0", "distribution": "opensearch"}}
    if any(word in INDEX_CALLS for word in words):
        return {"acknowledged": True}
    if "_doc" in words and method in DOCUMENT_CALLS:
        return {"_id": words[-1], "_version": 1, "result": DOCUMENT_CALLS[method]}
    if len(words) == 1 and not words[0].startswith("_") and method in ("PUT", "DELETE"):
        return {"acknowledged": True}
    pytest.skip(f"needs a search engine: {method} {url}")
