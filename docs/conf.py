# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Settings of the documentation's build: ``sphinx-build -W -n -b html docs OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE / "_ext"), str(HERE.parent)]

from oarepo_s3 import __version__  # noqa: E402

project = "oarepo-s3"
copyright = "oarepo-s3 contributors"
version = release = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "catalogue",
    "sequence_drawing",
    "states_drawing",
]
toc_object_entries_show_parents = "hide"
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_preserve_defaults = True

# Names of other projects, whose documentation is not read at build time.
nitpick_ignore_regex = [
    (r"py:.*", r"(collections\.abc|datetime|flask|invenio_\w+|uuid)\..*"),
    (r"py:class", r"datetime|timedelta|FileInstance"),
    (r"py:exc", r"FileSizeError|StorageError"),
    (r"py:attr", r"context"),
]

html_theme = "alabaster"
html_static_path = ["_static"]
html_css_files = ["page.css"]
html_show_sourcelink = False
html_theme_options = {
    "description": "Direct multipart uploads to S3-compatible stores for Invenio repositories",
    "fixed_sidebar": True,
    "page_width": "1160px",
    "sidebar_width": "240px",
}
