# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Temporary keys over REST: for the file of an upload, for a scope, and as Companion gives them."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify
from marshmallow import RAISE, Schema, fields, validate
from werkzeug.exceptions import MethodNotAllowed

from ..core.errors import NoScope
from ..core.times import isoformat
from ..permissions import current_user_id, require_scope, require_write
from ..services import (
    IssuedGrant,
    get_scope,
    grant_scope,
    grant_upload,
    scope_of_bucket,
)
from .companion import CompanionResource
from .errors import Resource
from .schemas import StrictInteger, load_json
from .targets import opened
from .tokens import require_login
from .uploads import no_store, pass_upload

PROVIDERS = ("aws", "ceph", "minio")
"""Kinds of stores that clients have a name for; any other one is ``other``."""


class KeysSchema(Schema):
    """``POST /multipart-uploads/<id>/credentials``."""

    class Meta:
        """An unknown field is a mistake that the client should learn of."""

        unknown = RAISE

    lifetime = StrictInteger(allow_none=True, validate=validate.Range(900, 43_200))


class ScopeKeysSchema(KeysSchema):
    """``POST /multipart-uploads/credentials``."""

    scope = fields.String(
        required=True,
        validate=[
            validate.Length(min=1, max=255),
            # PostgreSQL takes it in no text.
            validate.Regexp(r"[^\x00]+\Z", error="It has a NUL."),
        ],
    )


class UploadCredentialsResource(Resource):
    """``/multipart-uploads/<upload_id>/credentials``."""

    def post(self, upload_id: str) -> Response:
        """Hand out keys that send the file of the upload."""
        upload = pass_upload(upload_id)
        require_write(upload)
        wish = load_json(KeysSchema(), optional=True)
        return _answer(
            grant_upload(upload, user_id=current_user_id(), lifetime=wish.get("lifetime"))
        )


class ScopeCredentialsResource(Resource):
    """``/multipart-uploads/credentials``."""

    def post(self) -> Response:
        """Hand out keys to what is below the prefix of a scope."""
        user_id = require_login()
        wish = load_json(ScopeKeysSchema())
        scope = get_scope(wish["scope"])
        require_scope(scope)
        return _answer(grant_scope(scope, user_id=user_id, lifetime=wish.get("lifetime")))


class CompanionStsResource(CompanionResource):
    """``/multipart-uploads/companion/<token>/s3/sts``."""

    def get(self, token: str) -> Response:
        """Hand out keys to the scope of the bucket that the token opens."""
        with opened(token) as target:
            bucket_id = target.token.bucket_id
            scope = scope_of_bucket(bucket_id) if bucket_id is not None else None
            if scope is None:
                raise NoScope()
            require_scope(scope)
            issued = grant_scope(scope, user_id=target.token.user_id)
            names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
            return jsonify(
                {
                    "credentials": dict(zip(names, _secrets(issued), strict=True)),
                    "bucket": issued.place.bucket,
                    "region": issued.place.region,
                }
            )

    def head(self, token: str) -> Response:
        """Refuse what would make keys that nobody gets."""
        raise MethodNotAllowed(["GET"])


def _answer(issued: IssuedGrant) -> Response:
    """Answer with keys; a page can hand it to Uppy 6 as it is."""
    place = issued.place
    kind = place.profile_name.partition("-")[0]
    names = ("accessKeyId", "secretAccessKey", "sessionToken", "expiration")
    dumped: dict[str, Any] = {
        "id": str(issued.row.id),
        "credentials": dict(zip(names, _secrets(issued), strict=True)),
        "region": place.region,
        "bucket": place.bucket,
        "endpoint_url": place.endpoint_url,
        "provider": kind if kind in PROVIDERS else "other",
        "expires_at": isoformat(issued.row.expires_at),
    }
    if place.key is not None:
        dumped["key"] = place.key
    else:
        dumped["prefix"] = place.prefix
    response = no_store(jsonify(dumped))
    response.status_code = 201
    return response


def _secrets(issued: IssuedGrant) -> tuple[str, str, str | None, str]:
    keys = issued.credentials
    return keys.access_key, keys.secret_key, keys.token, isoformat(issued.row.expires_at)
