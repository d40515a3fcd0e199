# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The page of the demo, at ``/uploader``: files go from a browser to the store."""

from __future__ import annotations

from flask import Blueprint, Flask, Response, current_app, make_response, render_template
from invenio_files_rest.models import Bucket

from oarepo_s3.views import pages

blueprint = Blueprint(
    "demo",
    __name__,
    template_folder="templates",
    static_folder="static",
    static_url_path="/demo",
)


def add_page(app: Flask) -> None:
    """Give the application the page, and what the page needs of the package.

    An instance has the second by an entry point of its UI application; the demo has an API alone.
    """
    app.register_blueprint(pages.create_blueprint(app))
    app.register_blueprint(blueprint)


@blueprint.get("/uploader")
def uploader() -> Response:
    """Return the page."""
    bucket = Bucket.query.one()
    answer = make_response(render_template("demo/uploader.html", bucket=bucket.id))
    # What Invenio says by default, and that scripts may send to the store.
    store = current_app.config["S3_ENDPOINT_URL"]
    answer.headers["Content-Security-Policy"] = (
        f"default-src 'self'; object-src 'none'; connect-src 'self' {store}"
    )
    return answer
