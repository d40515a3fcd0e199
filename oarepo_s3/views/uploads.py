# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The REST endpoints of uploads: parse, authorise, call one service, serialise."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from invenio_files_rest.models import Bucket

from ..core.errors import BucketNotFound, InvalidRequest, NotAuthenticated, UploadNotFound
from ..core.parts import parse_part_ranges
from ..models import Upload
from ..permissions import (
    current_user_id,
    require_abort,
    require_begin,
    require_complete,
    require_read,
    require_write,
)
from ..proxies import current_s3
from ..services import (
    NewUpload,
    abort_upload,
    complete_upload,
    create_upload,
    first_window,
    get_upload,
    list_uploads,
    parts_after,
    sign_parts,
    uploaded_parts,
)
from .errors import Resource
from .schemas import (
    CreateSchema,
    ListSchema,
    PartsQuerySchema,
    load_claims,
    load_digests,
    load_json,
    load_query,
)
from .serializers import ENDPOINT, dump_parts, dump_upload, dump_urls

PARTS_PAGE = 1000
"""Parts on a page: what a store lists in one call."""


def pass_upload(upload_id: str) -> Upload:
    """Return the upload named in the address.

    :raises UploadNotFound: when there is none, or the id is none.
    """
    try:
        return get_upload(UUID(upload_id))
    except ValueError:
        raise UploadNotFound() from None


class UploadListResource(Resource):
    """``/multipart-uploads``."""

    def get(self) -> Response:
        """List the caller's own uploads, newest first."""
        user_id = current_user_id()
        if user_id is None:
            raise NotAuthenticated()
        query = load_query(ListSchema())
        page = list_uploads(
            user_id, bucket_id=query["bucket"], state=query["state"], page=query["page"]
        )
        links = {}
        if page.more:
            following = {**query, "page": query["page"] + 1}
            links["next"] = url_for(f"{ENDPOINT}.uploads", _external=True, **following)
        return jsonify({"uploads": [dump_upload(u) for u in page.uploads], "links": links})

    def post(self) -> Response:
        """Open an upload; the answer carries the URLs of the first parts."""
        body = load_json(CreateSchema())
        bucket = Bucket.get(body["bucket"])
        if bucket is None:
            raise BucketNotFound() if current_user_id() is not None else NotAuthenticated()
        require_begin(bucket)
        upload = create_upload(
            NewUpload(
                bucket_id=bucket.id,
                key=body["key"],
                size=body["size"],
                content_type=body.get("content_type"),
                part_size=body.get("part_size"),
                checksum=body.get("checksum"),
                user_id=current_user_id(),
            )
        )
        dumped = dump_upload(upload)
        dumped["urls"] = dump_urls(sign_parts(upload, first_window(upload)))
        response = no_store(jsonify(dumped))
        response.status_code = 201
        response.headers["Location"] = dumped["links"]["self"]
        return response


class UploadResource(Resource):
    """``/multipart-uploads/<upload_id>``."""

    def get(self, upload_id: str) -> Response:
        """Show the session."""
        upload = pass_upload(upload_id)
        require_read(upload)
        return jsonify(dump_upload(upload))

    def delete(self, upload_id: str) -> Response:
        """Abort; repeated, the same answer."""
        upload = pass_upload(upload_id)
        require_abort(upload)
        abort_upload(upload)
        return Response(status=204)


class UploadUrlsResource(Resource):
    """``/multipart-uploads/<upload_id>/urls``."""

    def get(self, upload_id: str) -> Response:
        """Sign URLs for the parts asked for."""
        upload = pass_upload(upload_id)
        require_write(upload)
        return urls_response(
            upload,
            request.args.get("parts", ""),
            request.args.get("checksums", ""),
            upload_id=upload.id,
        )


class UploadPartsResource(Resource):
    """``/multipart-uploads/<upload_id>/parts``."""

    def get(self, upload_id: str) -> Response:
        """List what the store has."""
        upload = pass_upload(upload_id)
        require_read(upload)
        return parts_response(upload, upload_id=upload.id)


class UploadCompleteResource(Resource):
    """``/multipart-uploads/<upload_id>/complete``."""

    def post(self, upload_id: str) -> Response:
        """Verify and complete; repeated, the same answer."""
        upload = pass_upload(upload_id)
        require_complete(upload)
        return jsonify(dump_upload(complete_upload(upload, load_claims())))


def urls_response(upload: Upload, parts: str, checksums: str = "", **address: Any) -> Response:
    """Answer with signed URLs for parts such as ``1-100,205``.

    :param checksums: a digest for each of the parts, in their order, such as ``md5:...,md5:...``.
    :param address: values of this address, as :func:`flask.url_for` takes them.
    :raises InvalidRequest: when no parts are asked for, or not as many digests.
    """
    if not parts:
        raise InvalidRequest(reason="say which parts, such as parts=1-100,205")
    numbers = parse_part_ranges(
        parts, num_parts=upload.num_parts, most=current_s3.settings.max_urls
    )
    digests = dict(zip(numbers, load_digests(checksums, len(numbers)), strict=False))
    urls = dump_urls(sign_parts(upload, numbers, digests))
    links = {}
    following = parts_after(upload, max(numbers), len(numbers))
    if following:
        links["next"] = url_for(str(request.endpoint), **address, parts=following, _external=True)
    return no_store(jsonify({"urls": urls, "links": links}))


def parts_response(upload: Upload, **address: Any) -> Response:
    """Answer with a page of uploaded parts; the next one is at the same address.

    :param address: values of this address, as :func:`flask.url_for` takes them.
    """
    after = load_query(PartsQuerySchema())["after"]
    page = uploaded_parts(upload, after=min(after, upload.num_parts), limit=PARTS_PAGE)
    links = {}
    if page.more:
        links["next"] = url_for(
            str(request.endpoint), **address, after=page.parts[-1].part, _external=True
        )
    return jsonify({"parts": dump_parts(page.parts), "links": links})


def no_store(response: Response) -> Response:
    """Keep signed URLs out of caches."""
    response.headers["Cache-Control"] = "no-store"
    return response
