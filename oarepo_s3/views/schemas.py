# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What comes over the wire: requests are read strictly."""

from __future__ import annotations

import re
from typing import Any

from flask import request
from marshmallow import EXCLUDE, RAISE, Schema, ValidationError, fields, pre_load, validate
from werkzeug.exceptions import HTTPException

from ..core.digests import WRITTEN, Digest
from ..core.errors import InvalidRequest
from ..core.states import UploadState

# Spaces alone: other white space (a line break before the semicolon, say) makes no header.
_MIME = re.compile(r"[!#$&^_.+A-Za-z0-9-]+/[!#$&^_.+A-Za-z0-9-]+( *;[ -~]*)?\Z")
LARGEST_INTEGER = 2**63 - 1
"""What the database can hold; larger numbers are refused before they are looked at."""


class StrictInteger(fields.Integer):
    """A JSON integer: no string, no float, no boolean."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strict=True, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.make_error("invalid", input=value)
        if abs(value) > LARGEST_INTEGER:
            raise self.make_error("too_large", input=value)
        return value


class WrittenInteger(StrictInteger):
    """An integer in a form, where all is text: decimal digits and nothing else."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if not re.fullmatch("[0-9]{1,20}", value):
            raise self.make_error("invalid", input=value)
        return super()._deserialize(int(value), attr, data, **kwargs)


def content_type_field(**kwargs: Any) -> fields.String:
    """Return a field for a MIME type."""
    return fields.String(
        validate=[
            validate.Length(max=255),
            validate.Regexp(_MIME, error="Not a MIME type such as text/plain."),
        ],
        **kwargs,
    )


def _checksum() -> fields.String:
    return fields.String(
        allow_none=True,
        validate=[
            validate.Length(max=255),
            validate.Regexp(WRITTEN, error="Not a digest such as sha256:..., in hex or base64."),
        ],
    )


class CreateSchema(Schema):
    """``POST /multipart-uploads``."""

    class Meta:
        """An unknown field is a mistake that the client should learn of."""

        unknown = RAISE

    bucket = fields.UUID(required=True)
    key = fields.String(required=True)
    size = StrictInteger(required=True)
    content_type = content_type_field(allow_none=True)
    part_size = StrictInteger(allow_none=True)
    checksum = _checksum()


class RecordUploadSchema(Schema):
    """``POST .../files/?multipart=True`` of a record, in JSON."""

    class Meta:
        """What is not of the upload is metadata of the file, and the record's own affair."""

        unknown = EXCLUDE

    size = StrictInteger(required=True)
    multipart_content_type = content_type_field(required=True)
    part_size = StrictInteger(allow_none=True)
    checksum = _checksum()


class RecordUploadFormSchema(RecordUploadSchema):
    """The same in a form."""

    size = WrittenInteger(required=True)
    part_size = WrittenInteger(allow_none=True)


class MultipartQuerySchema(Schema):
    """The query of ``POST .../files/`` of a record."""

    class Meta:
        """Query strings collect noise on their way."""

        unknown = EXCLUDE

    multipart = fields.Boolean(load_default=False)


class PartSchema(Schema):
    """A part in the body of complete; some clients write ``PartNum``, and some send more fields."""

    class Meta:
        """boto3 and Uppy send back whatever the store gave them."""

        unknown = EXCLUDE

    number = StrictInteger(required=True, data_key="PartNumber")
    etag = fields.String(required=True, data_key="ETag", validate=validate.Length(min=1, max=255))

    @pre_load
    def accept_part_num(self, data: Any, **kwargs: Any) -> Any:
        """Take ``PartNum`` for ``PartNumber``."""
        if isinstance(data, dict) and "PartNum" in data and "PartNumber" not in data:
            return {**data, "PartNumber": data["PartNum"]}
        return data


class CompleteSchema(Schema):
    """``POST .../complete``: no body, or the parts."""

    class Meta:
        """Clients add their own fields here."""

        unknown = EXCLUDE

    parts = fields.List(fields.Nested(PartSchema), allow_none=True, load_default=None)


class ListSchema(Schema):
    """The query of ``GET /multipart-uploads``."""

    class Meta:
        """Query strings collect noise on their way."""

        unknown = EXCLUDE

    bucket = fields.UUID(load_default=None)
    state = fields.Enum(UploadState, by_value=True, load_default=None)
    page = fields.Integer(load_default=1, validate=validate.Range(1, 100_000))


class PartsQuerySchema(Schema):
    """The query of ``GET .../parts``."""

    class Meta:
        """Query strings collect noise on their way."""

        unknown = EXCLUDE

    after = fields.Integer(load_default=0, validate=validate.Range(0, LARGEST_INTEGER))


def load_json(schema: Schema, *, optional: bool = False) -> dict[str, Any]:
    """Read the body of the request.

    :param optional: a request without a body counts as ``{}``.
    :raises InvalidRequest: when the body is no JSON object.
    :raises ValidationError: when it does not fit the schema.
    """
    try:
        if not request.get_data(cache=True) and optional:
            return dict(schema.load({}))
        # Parsed anew: whoever has looked at it before may have taken something out.
        body = request.get_json(force=True, silent=True, cache=False)
    except HTTPException as error:
        # Flask itself stops reading: too long (MAX_CONTENT_LENGTH), or the client went away.
        raise InvalidRequest(reason=f"the body cannot be read ({error.name})") from error
    except RecursionError:
        raise InvalidRequest(reason="the body is nested too deeply") from None
    if not isinstance(body, dict):
        raise InvalidRequest(reason="the body has to be a JSON object")
    return dict(schema.load(body))


def load_record_upload() -> dict[str, Any]:
    """Read the body with which an upload of a record's file begins, in JSON or a form.

    :raises InvalidRequest: when the body is neither.
    :raises ValidationError: when it does not fit the schema.
    """
    if request.is_json:
        return load_json(RecordUploadSchema())
    return dict(RecordUploadFormSchema().load(request.form.to_dict()))


def load_claims() -> dict[int, str] | None:
    """Read the client's ETags by part number from the body of complete, or None.

    :raises ValidationError: when a part is given twice with different ETags.
    """
    parts = load_json(CompleteSchema(), optional=True)["parts"]
    if parts is None:
        return None
    claims: dict[int, str] = {}
    for part in parts:
        if claims.setdefault(part["number"], part["etag"]) != part["etag"]:
            raise ValidationError({"parts": [f"Part {part['number']} has two ETags."]})
    return claims


def load_digests(text: str, wanted: int) -> list[Digest]:
    """Read the digests of parts from a query; none when there is no text.

    :param wanted: how many there have to be.
    :raises InvalidRequest: when there are not as many, or one is no digest.
    """
    digests = [Digest.parse(piece.strip()) for piece in text.split(",")] if text else []
    if digests and len(digests) != wanted:
        raise InvalidRequest(reason=f"{wanted} parts need {wanted} checksums, not {len(digests)}")
    return digests


def load_query(schema: Schema) -> dict[str, Any]:
    """Read the query string.

    :raises ValidationError: when it does not fit the schema.
    """
    return dict(schema.load(request.args.to_dict()))
