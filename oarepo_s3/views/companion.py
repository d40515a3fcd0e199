# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The routes of Uppy Companion for S3, so that Uppy's own S3 plugin uploads here as it is.

Companion is Uppy's server. The plugin's companion mode can send neither a header nor a CSRF token,
so an upload token in the address says who is asking, and proves that they want it. Names of fields
and shapes of answers are Companion's; errors are ours.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, jsonify, request
from invenio_rest.csrf import csrf
from werkzeug.exceptions import MethodNotAllowed

from ..core.errors import InvalidRequest, UploadError
from ..core.parts import parse_part_ranges
from ..core.planning import cut_by_uppy
from ..core.times import utcnow
from ..models import Upload
from ..permissions import require_read, require_write
from ..proxies import current_s3
from ..services import PartUrl, every_part, open_form, sign_parts
from .companion_schemas import CompanionSchema
from .errors import Resource
from .schemas import load_claims, load_json
from .serializers import dump_file_links
from .targets import CutFile, Target, opened, upload_of
from .uploads import no_store

PHRASE_LENGTH = 250
"""Most characters of an error in the status line; servers and proxies take longer ones than that,
but no page should show more."""


class CompanionResource(Resource):
    """A route below ``/multipart-uploads/companion/<token>/s3``."""

    def dispatch_request(self, **kwargs: Any) -> Any:
        """Call the method; what it answers is nobody else's."""
        return say_in_status(no_store(super().dispatch_request(**kwargs)))


class CompanionCreateResource(CompanionResource):
    """``/multipart``."""

    def post(self, token: str) -> Response:
        """Open an upload; its cut is the one that Uppy has made by itself."""
        with opened(token) as target:
            body = load_json(CompanionSchema())
            size = body["metadata"]["size"]
            num_parts, part_size = cut_by_uppy(size, body["metadata"].get("part_size"))
            upload = target.begin(
                CutFile(body["filename"], size, num_parts, part_size, body["type"])
            )
            return jsonify({**_names(upload), "uploadId": str(upload.id)})


class CompanionParamsResource(CompanionResource):
    """``/params``."""

    def get(self, token: str) -> Response:
        """Open an upload whose file comes by a form; nobody has to call when it has."""
        with opened(token) as target:
            asked = _announced()
            size = asked["metadata"]["size"]
            upload = target.begin(CutFile(asked["filename"], size, 1, max(size, 1), asked["type"]))
            try:
                form = open_form(upload)
            except UploadError:
                # What the page has to learn of is why there is no form; the sweep does the rest.
                with suppress(UploadError):
                    target.abort(upload)
                raise
            return jsonify(
                {
                    "method": "POST",
                    "url": form.url,
                    "fields": dict(form.fields),
                    "expires": int(form.expires_in.total_seconds()),
                }
            )

    def head(self, token: str) -> Response:
        """Refuse what would open an upload of which nobody learns the id."""
        raise MethodNotAllowed(["GET"])


class CompanionUploadResource(CompanionResource):
    """``/multipart/<upload_id>``."""

    def get(self, token: str, upload_id: str) -> Response:
        """List all parts that were uploaded."""
        with opened(token) as target:
            upload = _upload(target, upload_id)
            require_read(upload)
            return jsonify(
                [
                    {"PartNumber": part.part, "ETag": part.etag, "Size": part.size}
                    for part in every_part(upload)
                ]
            )

    def delete(self, token: str, upload_id: str) -> Response:
        """Abort; repeated, the same answer."""
        with opened(token) as target:
            target.abort(_upload(target, upload_id))
            return jsonify({})


class CompanionPartResource(CompanionResource):
    """``/multipart/<upload_id>/<part>``."""

    def get(self, token: str, upload_id: str, part: str) -> Response:
        """Sign the URL of one part."""
        with opened(token) as target:
            upload = _upload(target, upload_id)
            require_write(upload)
            signed = sign_parts(upload, _numbers(upload, part, most=1))[0]
            return jsonify({"url": signed.url, "expires": _seconds(signed)})


class CompanionBatchResource(CompanionResource):
    """``/multipart/<upload_id>/batch``, which older versions of Uppy call."""

    def get(self, token: str, upload_id: str) -> Response:
        """Sign the URLs of several parts."""
        with opened(token) as target:
            upload = _upload(target, upload_id)
            require_write(upload)
            numbers = _numbers(
                upload, request.args.get("partNumbers", ""), most=current_s3.settings.max_urls
            )
            urls = {str(signed.part): signed.url for signed in sign_parts(upload, numbers)}
            return jsonify({"presignedUrls": urls})


class CompanionCompleteResource(CompanionResource):
    """``/multipart/<upload_id>/complete``."""

    def post(self, token: str, upload_id: str) -> Response:
        """Verify and complete; repeated, the same answer."""
        with opened(token) as target:
            upload = target.complete(_upload(target, upload_id), load_claims())
            location = dump_file_links(upload).get("content", "")
            return jsonify({**_names(upload), "location": location})


def add_routes(blueprint: Blueprint) -> None:
    """Add the routes to the blueprint of the REST API.

    They are exempt from CSRF protection, which guards what a browser sends by itself: here that is
    nothing, because a cookie opens nothing, and the token is known only to whom it was given.
    """
    one = "multipart/<upload_id>"
    for rule, resource, name in (
        ("params", CompanionParamsResource, "companion_params"),
        ("multipart", CompanionCreateResource, "companion_create"),
        (one, CompanionUploadResource, "companion_upload"),
        (f"{one}/batch", CompanionBatchResource, "companion_batch"),
        (f"{one}/complete", CompanionCompleteResource, "companion_complete"),
        (f"{one}/<part>", CompanionPartResource, "companion_part"),
    ):
        add_route(blueprint, rule, resource, name)


def add_route(
    blueprint: Blueprint, rule: str, resource: type[CompanionResource], name: str
) -> None:
    """Add one route below ``s3/``, free of CSRF protection."""
    blueprint.add_url_rule(
        f"/companion/<token>/s3/{rule}", view_func=csrf.exempt(resource.as_view(name))
    )


def say_in_status(response: Response) -> Response:
    """Write the sentence of an error into the status line: it is all that Uppy 6 shows of it.

    HTTP/1.1 carries it; HTTP/2 has no such text, and Uppy then shows none.
    """
    if response.status_code >= 400:
        sentence = re.sub("[^ -~]", "?", response.get_json()["message"])
        response.status = f"{response.status_code} {sentence[:PHRASE_LENGTH]}"
    return response


def _announced() -> dict[str, Any]:
    """Read the file that a query announces: ``filename``, ``type`` and ``metadata[size]``.

    :raises ValidationError: when it does not fit the schema of the body that says the same.
    """
    asked = request.args.to_dict()
    metadata = {
        name.removeprefix("metadata[").removesuffix("]"): value
        for name, value in asked.items()
        if name.startswith("metadata[")
    }
    return dict(CompanionSchema().load({**asked, "metadata": metadata}))


def _upload(target: Target, upload_id: str) -> Upload:
    """Return the upload that the address names twice: by its id, and by its key."""
    upload = upload_of(target, upload_id)
    if request.args.get("key") != upload.key:
        raise InvalidRequest(reason="key has to be the one that the upload was begun with")
    return upload


def _names(upload: Upload) -> dict[str, str]:
    return {"key": upload.key, "bucket": str(upload.bucket_id)}


def _numbers(upload: Upload, text: str, *, most: int) -> list[int]:
    return parse_part_ranges(text, num_parts=upload.num_parts, most=most)


def _seconds(signed: PartUrl) -> int:
    return int((signed.expires_at - utcnow()).total_seconds())
