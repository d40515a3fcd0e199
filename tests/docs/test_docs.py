# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The documentation builds without a warning, and leaves out no setting, error or address."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from html import unescape
from pathlib import Path

import pytest

from oarepo_s3 import config
from oarepo_s3.core import errors
from oarepo_s3.core.states import MOVES, UploadState
from oarepo_s3.views import multipart_actions

from .pages import DOCS, ROOT

PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *ROOT.glob("examples/**/*.md")])
SETTINGS = [name for name in vars(config) if name.startswith("OAREPO_S3_")]
ERRORS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, errors.UploadError)
]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """The built documentation."""
    for package in ("sphinx", "myst_parser"):
        pytest.importorskip(package)
    out = tmp_path_factory.mktemp("html")
    options = ["-W", "--keep-going", "-n", "-q", "-b", "html", "-d", str(out / ".doctrees")]
    command = [sys.executable, "-m", "sphinx", *options, str(DOCS), str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="module")
def text_of(built) -> Callable[[str], str]:
    """Return what a reader sees of a page: its main part, without tags and navigation."""

    def read(page: str) -> str:
        html = (built / f"{page}.html").read_text()
        body = html[html.index('<div class="body"') : html.index('<div class="footer"')]
        return unescape(re.sub(r"<[^>]+>", "", body))

    return read


@pytest.mark.parametrize(
    "page", [*PAGES, ROOT / "client/README.md"], ids=lambda page: str(page.relative_to(ROOT))
)
def test_no_page_has_a_secret_typed_into_a_command(page):
    """The shell's history would keep it: `read -rs` does not."""
    assert not re.findall(r"\w*(?:SECRET|TOKEN|PASSWORD)\w*=\.\.\..*", page.read_text())


def test_it_builds_without_warnings(built):
    assert (built / "index.html").is_file()


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_is_described(text_of, name):
    assert re.search(rf"\n{name}\b[^\n]*\n+Default:\s*\S", text_of("reference/settings"))


@pytest.mark.parametrize(("other", "name"), config.INVENIO_S3_NAMES.items())
def test_every_other_name_of_a_setting_is_listed(text_of, other, name):
    assert re.search(rf"{other}\s+{name}", text_of("reference/settings"))


@pytest.mark.parametrize(
    "default", ["16 MiB (16_777_216)", "6 days (518_400)", "1 day (86_400)", "5 TiB", "10,000"]
)
def test_defaults_are_readable(text_of, default):
    assert default in text_of("reference/settings")


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.code)
def test_every_error_is_described(text_of, error):
    assert re.search(rf"\n{error.code}\s+{error.status}\b", text_of("reference/errors"))


def test_every_error_that_rest_can_give_is_named_at_a_call(text_of):
    page = text_of("reference/rest")
    families = {base for kind in ERRORS for base in kind.__bases__}
    inside = {"store_parts_rejected", "store_precondition_failed", "store_upload_gone"}
    # What the operator's commands alone can say.
    inside |= {"invalid_scope", "scope_taken"}
    given = {kind.code for kind in ERRORS if kind not in families} - inside
    assert {code for code in given if not re.search(rf"\b{code}\b", page)} == set()


def test_every_rule_below_a_record_is_listed(text_of):
    page = text_of("reference/rest")
    assert [rule for rule in multipart_actions("records") if rule not in page] == []


def test_every_state_and_move_is_drawn(built, text_of):
    page = (built / "how-it-works.html").read_text()
    drawing = page[page.index("<title>States of an upload") :].split("</svg>")[0]
    assert [state for state in UploadState if f">{state}</text>" not in drawing] == []
    assert drawing.count("marker-end") == sum(map(len, MOVES.values()))
    text = text_of("how-it-works")
    for source, targets in MOVES.items():
        for target in targets:
            assert re.search(rf"\n{source}\s+{target}\s+\w", text), f"{source} -> {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_files_lead_somewhere(page):
    links = re.findall(r"\]\((?!https?:)([^)#\s]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
