# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Endpoints under a record, for REST stacks that mount actions on their record routes.

:func:`multipart_actions` returns rules and views; the stack mounts each rule below its record's own
address, whose ``pid_value`` resolves to a record with ``files``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from flask import Response, jsonify, request, url_for
from werkzeug.exceptions import HTTPException

from ..core.errors import UploadNotFound
from ..models import Upload
from ..permissions import require_abort, require_read, require_write
from ..services import abort_upload, complete_upload, find_upload, get_upload
from ..services.records import refresh_files
from .errors import Resource
from .record_permissions import FilePermission, permission_of
from .schemas import load_claims
from .serializers import dump_record_links, dump_upload
from .uploads import parts_response, urls_response


class RecordUploadResource(Resource):
    """An upload of a record's file: the newest of its key, or the one that the address names.

    :param code: name of the record endpoint; the views' names begin with it.
    :param permission: what the endpoint decides by; None where invenio-files-rest decides.
    """

    view_name = ""
    """Name of the view, with the record endpoint's code for ``{endpoint}``."""

    def __init__(self, code: str = "", permission: FilePermission | None = None) -> None:
        self.code = code
        self.permission = permission

    def upload(self, key: str, upload_id: str | None, require: Callable[[Upload], None]) -> Upload:
        """Return the upload, if the caller may do this to it.

        :param require: how invenio-files-rest is asked, where it decides.
        :raises AccessError: when they may not.
        :raises UploadNotFound: when the record has no files, or no such upload of the key.
        """
        _, record = _address()
        if self.permission is not None:
            # First: who may do nothing here does not learn what there is.
            self.permission.require(self, record, key)
            return _find(record, key, upload_id)
        upload = _find(record, key, upload_id)
        require(upload)
        return upload

    def ended(self, upload: Upload) -> dict[str, Any]:
        """Let the record know that its files have changed, and describe the upload."""
        refresh_files(_address()[1])
        return dump_upload(upload, self.links(upload))

    def links(self, upload: Upload) -> dict[str, str] | None:
        """Return what can be done at this record; None where the stack is not known."""
        if self.permission is None:
            return None
        pid, _ = _address()

        def address(view_name: str, **values: Any) -> str:
            name = f".{view_name.format(endpoint=self.code)}"
            return url_for(name, pid_value=pid, **values, _external=True)

        return dump_record_links(upload, address)


class MultipartUploadCompleteResource(RecordUploadResource):
    """Complete the upload of a record's file."""

    view_name = "{endpoint}_complete_multipart"

    def post(self, key: str, upload_id: str | None = None, **kwargs: Any) -> Response:
        """Verify and complete: 200 with the session; repeated, the same answer.

        The body is empty or lists the parts, ``{"parts": [{"PartNumber", "ETag"}]}``.
        """
        upload = self.upload(key, upload_id, require_write)
        return jsonify(self.ended(complete_upload(upload, load_claims())))


class MultipartUploadAbortResource(RecordUploadResource):
    """Abort the upload of a record's file."""

    view_name = "{endpoint}_abort_multipart"

    def post(self, key: str, upload_id: str | None = None, **kwargs: Any) -> Response:
        """Abort, without a body: 200 with the session; repeated, the same answer."""
        upload = self.upload(key, upload_id, require_abort)
        return jsonify(self.ended(abort_upload(upload)))

    def delete(self, key: str, upload_id: str | None = None, **kwargs: Any) -> Response:
        """Abort: 204; repeated, the same answer."""
        upload = self.upload(key, upload_id, require_abort)
        self.ended(abort_upload(upload))
        return Response(status=204)


class MultipartUploadPartsResource(RecordUploadResource):
    """List the uploaded parts of a record's file."""

    view_name = "{endpoint}_list_parts_multipart"

    def get(self, key: str, upload_id: str, **kwargs: Any) -> Response:
        """List what the store has."""
        upload = self.upload(key, upload_id, require_read)
        pid, _ = _address()
        return parts_response(upload, pid_value=pid, key=key, upload_id=upload_id)


class MultipartUploadUrlsResource(RecordUploadResource):
    """Sign part URLs of a record's file."""

    view_name = "{endpoint}_presigned_multipart"

    def get(self, key: str, upload_id: str, parts: str, **kwargs: Any) -> Response:
        """Sign URLs for the parts named in the address, such as ``1,2,7-9``."""
        upload = self.upload(key, upload_id, require_write)
        pid, _ = _address()
        return urls_response(upload, parts, pid_value=pid, key=key, upload_id=upload_id)


def multipart_actions(
    code: str,
    files: Mapping[str, Any] | None = None,
    rest_endpoint: Mapping[str, Any] | None = None,
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

    The views begin no upload: assign a :class:`~oarepo_s3.api.MultipartUpload` for that. Completing
    and aborting also bring the list of files in the record's own metadata up to date, if it keeps
    one. Bodies, answers and errors are those of the REST API.

    :param code: name of the record endpoint, such as ``recid``. The views' names begin with it, so
        each endpoint in a blueprint needs its own.
    :param files: the endpoint's settings of files, as oarepo-records-draft passes them. Its
        ``put_file_factory`` decides on every call, and without one nobody may do anything, as at
        the endpoint's own addresses. A stack that hands over neither these nor ``rest_endpoint``
        leaves it to invenio-files-rest's permission factory.
    :param rest_endpoint: settings of the endpoint.
    :param extra: more settings of the endpoint; not used.
    :param is_draft: not used: what a published record allows, its own factories say.
    :returns: views by rule; each rule goes behind the record's own and a slash.
    """
    permission = permission_of(files, rest_endpoint)

    def view(resource: type[RecordUploadResource], suffix: str = "") -> Any:
        name = resource.view_name.format(endpoint=code) + suffix
        return resource.as_view(name, code=code, permission=permission)

    upload = "files/<key>/<upload_id>"
    return {
        "files/<key>/complete-multipart": view(MultipartUploadCompleteResource),
        "files/<key>/abort-multipart": view(MultipartUploadAbortResource),
        f"{upload}/complete": view(MultipartUploadCompleteResource, "_by_id"),
        f"{upload}/abort": view(MultipartUploadAbortResource, "_by_id"),
        f"{upload}/parts": view(MultipartUploadPartsResource),
        f"{upload}/<parts>/presigned": view(MultipartUploadUrlsResource),
    }


def _address() -> tuple[Any, Any]:
    """Return what the address names: a value of a persistent identifier, and its record.

    :raises UploadNotFound: when the identifier redirects, and invenio-records-rest finds no address
        to redirect to: it looks in the blueprint of the request alone, and would answer 500.
    """
    try:
        pid, record = (request.view_args or {})["pid_value"].data
    except HTTPException as error:
        pid_error = getattr(error, "pid_error", None)
        if getattr(pid_error, "destination_pid", None) is None:
            raise
        raise UploadNotFound() from error
    return getattr(pid, "pid_value", pid), record


def _find(record: Any, key: str, upload_id: str | None) -> Upload:
    bucket = getattr(record.files, "bucket", None)
    if bucket is None:
        raise UploadNotFound()
    if upload_id is None:
        return find_upload(bucket.id, key)
    try:
        upload = get_upload(UUID(upload_id))
    except ValueError:
        raise UploadNotFound() from None
    if (upload.bucket_id, upload.key) != (bucket.id, key):
        raise UploadNotFound()
    return upload
