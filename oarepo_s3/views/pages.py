# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What pages of an instance take for uploads from a browser: the script and the Jinja macro."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from flask import Blueprint, Flask, url_for

NAME = "oarepo_s3_pages"
_PACKAGE = Path(__file__).parents[1]
_STATIC = _PACKAGE / "static" / "oarepo_s3"


def create_blueprint(app: Flask) -> Blueprint:
    """Return the blueprint with the bundle of ``js/`` and ``oarepo_s3/uploader.html``.

    Its files are below the application's own static address. So a web server that serves the
    collected ones (``invenio collect``) finds them there, and without it Flask does.
    """
    blueprint = Blueprint(
        NAME,
        __name__,
        static_folder=str(_STATIC),
        static_url_path=f"{app.static_url_path or '/static'}/oarepo_s3",
        template_folder=str(_PACKAGE / "templates"),
    )
    blueprint.add_app_template_global(static_address, "oarepo_s3_static")
    return blueprint


def static_address(name: str) -> str:
    """Return the address of a file of the bundle, which changes with its content.

    Web servers let browsers keep static files for long, and an old script would meet a new API.
    """
    return url_for(f"{NAME}.static", filename=name, v=_digest(name))


@cache
def _digest(name: str) -> str:
    return hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()[:12]
