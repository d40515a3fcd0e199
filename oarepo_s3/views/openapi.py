# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The OpenAPI document of the REST API, for tools that read such a thing.

It is written by hand, in ``openapi.json``: a promise to clients is better changed by somebody than
by a library that looks at the code. The tests compare it with the code, and answers with it.
"""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

from flask import Response, current_app, request

from ..proxies import current_s3
from ..version import __version__
from .errors import Resource

WRITTEN_PREFIX = "/multipart-uploads"
"""What stands in the file where an instance may have another address."""


class OpenapiResource(Resource):
    """``/multipart-uploads/openapi.json``: no login is needed to read how to log in."""

    def get(self) -> Response:
        """Show the document."""
        document = describe_instance(request.root_url)
        return Response(json.dumps(document), mimetype="application/json")


def describe_instance(root_url: str) -> dict[str, Any]:
    """Return the document with the address, version and limits of this instance.

    :param root_url: address of the API application, as the caller sees it.
    """
    config, limits = current_app.config, current_s3.settings.limits
    document: dict[str, Any] = json.loads(written_document())
    document["info"]["version"] = __version__
    document["servers"] = [{"url": root_url.rstrip("/")}]
    document["paths"] = {
        config["OAREPO_S3_URL_PREFIX"] + path.removeprefix(WRITTEN_PREFIX): item
        for path, item in document["paths"].items()
    }
    components = document["components"]
    components["securitySchemes"]["session"]["name"] = config["SESSION_COOKIE_NAME"]
    new = components["schemas"]["NewUpload"]["properties"]
    new["key"]["maxLength"] = config["FILES_REST_OBJECT_KEY_MAX_LEN"]
    new["size"]["maximum"] = limits.largest_file
    components["schemas"]["Claim"]["properties"]["PartNumber"]["maximum"] = limits.max_parts
    return document


@cache
def written_document() -> str:
    """Return the file as it is."""
    return files(__package__).joinpath("openapi.json").read_text("utf-8")
