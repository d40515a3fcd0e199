# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""HTTP: parse, authorise, call one service, serialise."""

from __future__ import annotations

from flask import Blueprint, Flask

from ..core.errors import UploadError
from . import companion
from .credentials import (
    CompanionStsResource,
    ScopeCredentialsResource,
    UploadCredentialsResource,
)
from .errors import DATABASE_ERRORS, database_unavailable, error_response, let_go
from .metrics import MetricsResource
from .openapi import OpenapiResource
from .records import (
    MultipartUploadAbortResource,
    MultipartUploadCompleteResource,
    multipart_actions,
)
from .serializers import ENDPOINT
from .tokens import TokenListResource, TokenResource
from .uploader import multipart_uploader
from .uploads import (
    UploadCompleteResource,
    UploadListResource,
    UploadPartsResource,
    UploadResource,
    UploadUrlsResource,
)

__all__ = (
    "MultipartUploadAbortResource",
    "MultipartUploadCompleteResource",
    "create_blueprint",
    "multipart_actions",
    "multipart_uploader",
)


def create_blueprint(app: Flask) -> Blueprint:
    """Return the blueprint of the REST API, at the configured address."""
    blueprint = Blueprint(ENDPOINT, __name__, url_prefix=app.config["OAREPO_S3_URL_PREFIX"])
    # The user is loaded from the database before a view is called.
    for error in DATABASE_ERRORS:
        blueprint.register_error_handler(error, database_unavailable)
    blueprint.after_request(let_go)
    # Views of other stacks call our storage and our transfer: errors are answers there, and no 500.
    blueprint.app_errorhandler(UploadError)(error_response)
    one = "/<upload_id>"
    blueprint.add_url_rule("", view_func=UploadListResource.as_view("uploads"))
    blueprint.add_url_rule(one, view_func=UploadResource.as_view("upload"))
    blueprint.add_url_rule(f"{one}/urls", view_func=UploadUrlsResource.as_view("urls"))
    blueprint.add_url_rule(f"{one}/parts", view_func=UploadPartsResource.as_view("parts"))
    blueprint.add_url_rule(f"{one}/complete", view_func=UploadCompleteResource.as_view("complete"))
    # Not an upload's id: what is written out goes before what is filled in.
    blueprint.add_url_rule("/openapi.json", view_func=OpenapiResource.as_view("openapi"))
    blueprint.add_url_rule(
        f"{one}/credentials", view_func=UploadCredentialsResource.as_view("credentials")
    )
    blueprint.add_url_rule(
        "/credentials", view_func=ScopeCredentialsResource.as_view("scope_credentials")
    )
    blueprint.add_url_rule("/metrics", view_func=MetricsResource.as_view("metrics"))
    blueprint.add_url_rule("/tokens", view_func=TokenListResource.as_view("tokens"))
    blueprint.add_url_rule("/tokens/<token_id>", view_func=TokenResource.as_view("token"))
    companion.add_routes(blueprint)
    companion.add_route(blueprint, "sts", CompanionStsResource, "companion_sts")
    return blueprint
