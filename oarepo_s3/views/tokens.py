# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Upload tokens over REST: issued to somebody who is logged in, and revoked by them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, url_for
from invenio_files_rest.models import Bucket

from ..core.errors import BucketNotFound, NotAuthenticated, TokenNotFound
from ..core.times import isoformat
from ..permissions import current_user_id, require_begin, require_begin_in_draft
from ..services import IssuedToken, issue_token, revoke_token
from .companion_schemas import TokenSchema
from .errors import Resource
from .schemas import load_json
from .serializers import ENDPOINT
from .uploads import no_store


class TokenListResource(Resource):
    """``/multipart-uploads/tokens``."""

    def post(self) -> Response:
        """Issue a token for a bucket or a draft that the caller may upload to."""
        user_id = require_login()
        body = load_json(TokenSchema())
        issued = issue_token(user_id, **_place(body), lifetime=body.get("lifetime"))
        response = no_store(jsonify(_dump(issued)))
        response.status_code = 201
        return response


class TokenResource(Resource):
    """``/multipart-uploads/tokens/<token_id>``."""

    def delete(self, token_id: str) -> Response:
        """Revoke; repeated, the same answer."""
        user_id = require_login()
        try:
            revoke_token(UUID(token_id), user_id)
        except ValueError:
            raise TokenNotFound() from None
        return Response(status=204)


def require_login() -> int:
    """Return the id of whoever is logged in.

    :raises NotAuthenticated: when nobody is.
    """
    user_id = current_user_id()
    if user_id is None:
        raise NotAuthenticated()
    return user_id


def _place(body: dict[str, Any]) -> dict[str, Any]:
    """Return what the token shall open, if the caller may upload there."""
    draft = body.get("draft")
    if draft is not None:
        require_begin_in_draft(draft["service"], draft["id"])
        return {"record_service": draft["service"], "record_pid": draft["id"]}
    bucket = Bucket.get(body["bucket"])
    if bucket is None:
        raise BucketNotFound()
    require_begin(bucket)
    return {"bucket_id": bucket.id}


def _dump(issued: IssuedToken) -> dict[str, Any]:
    token = issued.row
    # Uppy adds "/s3/..." to it by itself.
    create = url_for(f"{ENDPOINT}.companion_create", token=issued.text, _external=True)
    return {
        "id": str(token.id),
        "token": issued.text,
        "expires_at": isoformat(token.expires_at),
        "companion_url": create.removesuffix("/s3/multipart"),
        "links": {"self": url_for(f"{ENDPOINT}.token", token_id=token.id, _external=True)},
    }
