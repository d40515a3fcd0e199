# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Endpoints under a record, for REST stacks that mount actions on their record routes.

:func:`multipart_actions` returns rules and views; the stack mounts each rule below its record's own
address, whose ``pid_value`` resolves to a record with ``files``.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, jsonify, request
from werkzeug.exceptions import HTTPException

from ..core.errors import UploadNotFound
from ..models import Upload
from ..permissions import require_abort, require_read, require_write
from ..services import abort_upload, complete_upload, find_upload, get_upload
from .errors import Resource
from .schemas import load_claims
from .serializers import dump_upload
from .uploads import parts_response, urls_response


class RecordUploadResource(Resource):
    """An upload of a record's file: the newest of its key, or the one that the address names."""

    view_name = ""
    """Name of the view, with the record endpoint's code for ``{endpoint}``."""

    def upload(self, key: str, upload_id: str | None) -> Upload:
        """Return the upload.

        :raises UploadNotFound: when the record has no files, or no such upload of the key.
        """
        bucket = _record_bucket()
        if upload_id is None:
            return find_upload(bucket.id, key)
        try:
            upload = get_upload(UUID(upload_id))
        except ValueError:
            raise UploadNotFound() from None
        if (upload.bucket_id, upload.key) != (bucket.id, key):
            raise UploadNotFound()
        return upload


class MultipartUploadCompleteResource(RecordUploadResource):
    """Complete the upload of a record's file."""

    view_name = "{endpoint}_complete_multipart"

    def post(self, key: str, upload_id: str | None = None, **kwargs: Any) -> Response:
        """Verify and complete: 200 with the session; repeated, the same answer.

        The body is empty or lists the parts, ``{"parts": [{"PartNumber", "ETag"}]}``.
        """
        upload = self.upload(key, upload_id)
        require_write(upload)
        return jsonify(dump_upload(complete_upload(upload, load_claims())))


class MultipartUploadAbortResource(RecordUploadResource):
    """Abort the upload of a record's file."""

    view_name = "{endpoint}_abort_multipart"

    def post(self, key: str, upload_id: str | None = None, **kwargs: Any) -> Response:
        """Abort, without a body: 200 with the session; repeated, the same answer."""
        upload = self.upload(key, upload_id)
        require_abort(upload)
        return jsonify(dump_upload(abort_upload(upload)))

    def delete(self, key: str, upload_id: str | None = None, **kwargs: Any) -> Response:
        """Abort: 204; repeated, the same answer."""
        upload = self.upload(key, upload_id)
        require_abort(upload)
        abort_upload(upload)
        return Response(status=204)


class MultipartUploadPartsResource(RecordUploadResource):
    """List the uploaded parts of a record's file."""

    view_name = "{endpoint}_list_parts_multipart"

    def get(self, key: str, upload_id: str, **kwargs: Any) -> Response:
        """List what the store has."""
        upload = self.upload(key, upload_id)
        require_read(upload)
        return parts_response(upload)


class MultipartUploadUrlsResource(RecordUploadResource):
    """Sign part URLs of a record's file."""

    view_name = "{endpoint}_presigned_multipart"

    def get(self, key: str, upload_id: str, parts: str, **kwargs: Any) -> Response:
        """Sign URLs for the parts named in the address, such as ``1,2,7-9``."""
        upload = self.upload(key, upload_id)
        require_write(upload)
        return urls_response(upload, parts)


def multipart_actions(
    code: str,
    files: Any = None,
    rest_endpoint: Any = None,
    extra: Any = None,
    is_draft: bool = False,
) -> dict[str, Any]:
    """Return view functions by the rule to mount each at, below the address of a record.

    ============================================= ============ ===================================
    rule                                          methods      name of the view
    ============================================= ============ ===================================
    ``files/<key>/complete-multipart``            POST         ``{code}_complete_multipart``
    ``files/<key>/abort-multipart``               POST, DELETE ``{code}_abort_multipart``
    ``files/<key>/<upload_id>/complete``          POST         ``{code}_complete_multipart_by_id``
    ``files/<key>/<upload_id>/abort``             POST, DELETE ``{code}_abort_multipart_by_id``
    ``files/<key>/<upload_id>/parts``             GET          ``{code}_list_parts_multipart``
    ``files/<key>/<upload_id>/<parts>/presigned`` GET          ``{code}_presigned_multipart``
    ============================================= ============ ===================================

    The rule of the record has to name its variable ``pid_value``, and ``pid_value.data`` has to be
    the identifier and the record, as with invenio-records-rest's converter ``pid``. The record's
    ``files.bucket`` is that of its files; a record whose ``files`` is None has no uploads. What
    resolving the record raises (404, 410, a redirect) is answered as it is.

    The views begin no upload: assign a :class:`~oarepo_s3.api.MultipartUpload` for that. They ask
    invenio-files-rest's permission factory, and not the permissions of the record. Bodies, answers
    and errors are those of the REST API.

    :param code: name of the record endpoint, such as ``recid``. The views' names begin with it, so
        each endpoint in a blueprint needs its own.
    :param files: what oarepo-records-draft passes to every such function; not used, as
        ``rest_endpoint``, ``extra`` and ``is_draft``.
    :returns: views by rule; each rule goes behind the record's own and a slash.
    """

    def view(resource: type[RecordUploadResource], suffix: str = "") -> Any:
        return resource.as_view(resource.view_name.format(endpoint=code) + suffix)

    upload = "files/<key>/<upload_id>"
    return {
        "files/<key>/complete-multipart": view(MultipartUploadCompleteResource),
        "files/<key>/abort-multipart": view(MultipartUploadAbortResource),
        f"{upload}/complete": view(MultipartUploadCompleteResource, "_by_id"),
        f"{upload}/abort": view(MultipartUploadAbortResource, "_by_id"),
        f"{upload}/parts": view(MultipartUploadPartsResource),
        f"{upload}/<parts>/presigned": view(MultipartUploadUrlsResource),
    }


def _record_bucket() -> Any:
    """Return the files-rest bucket of the record that the address names."""
    _, record = _resolve((request.view_args or {})["pid_value"])
    bucket = getattr(record.files, "bucket", None)
    if bucket is None:
        raise UploadNotFound()
    return bucket


def _resolve(pid_value: Any) -> Any:
    """Return identifier and record of the address.

    :raises UploadNotFound: when the identifier redirects, and invenio-records-rest finds no address
        to redirect to: it looks in the blueprint of the request alone, and would answer 500.
    """
    try:
        return pid_value.data
    except HTTPException as error:
        pid_error = getattr(error, "pid_error", None)
        if getattr(pid_error, "destination_pid", None) is None:
            raise
        raise UploadNotFound() from error
