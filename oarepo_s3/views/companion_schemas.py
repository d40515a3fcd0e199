# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What comes over the wire for upload tokens, and from Uppy to Companion's routes."""

from __future__ import annotations

import re
from typing import Any

from marshmallow import (
    EXCLUDE,
    RAISE,
    Schema,
    ValidationError,
    fields,
    pre_load,
    validate,
    validates_schema,
)

from ..core.errors import InvalidRequest
from .schemas import LARGEST_INTEGER, StrictInteger, content_type_field

_NAME = validate.Length(min=1, max=255)


class DraftSchema(Schema):
    """A draft whose files a token shall open."""

    class Meta:
        """An unknown field is a mistake that the client should learn of."""

        unknown = RAISE

    service = fields.String(required=True, validate=_NAME)
    id = fields.String(required=True, validate=_NAME)

    @validates_schema
    def refuse_nul(self, data: dict[str, str], **kwargs: Any) -> None:
        """Refuse what PostgreSQL takes in no text."""
        for name, value in data.items():
            if "\0" in value:
                raise ValidationError("It has a NUL.", name)


class TokenSchema(Schema):
    """``POST /multipart-uploads/tokens``: a bucket or a draft, and not both."""

    class Meta:
        """An unknown field is a mistake that the client should learn of."""

        unknown = RAISE

    bucket = fields.UUID()
    draft = fields.Nested(DraftSchema)
    lifetime = StrictInteger(allow_none=True, validate=validate.Range(1, LARGEST_INTEGER))

    @validates_schema
    def require_one_place(self, data: dict[str, Any], **kwargs: Any) -> None:
        """Refuse a token that would open nothing, or two places."""
        if ("bucket" in data) == ("draft" in data):
            raise ValidationError("Name a bucket or a draft.")


class EitherInteger(StrictInteger):
    """A JSON integer, or one in decimal digits: Uppy 5 makes text of all metadata."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and re.fullmatch("[0-9]{1,20}", value):
            value = int(value)
        return super()._deserialize(value, attr, data, **kwargs)


class CompanionMetadataSchema(Schema):
    """What the page tells of a file, less what is not of the upload."""

    class Meta:
        """Uppy sends all metadata of a file."""

        unknown = EXCLUDE

    size = EitherInteger(required=True)
    part_size = EitherInteger(validate=validate.Range(1))

    @pre_load
    def say_what_the_page_lacks(self, data: Any, **kwargs: Any) -> Any:
        """Ask for the size in a sentence, which is all that Uppy shows: it does not send one."""
        if isinstance(data, dict) and data.get("size") is None:
            raise InvalidRequest(
                reason="metadata.size is missing; the page needs uppy.on('file-added',"
                " (file) => uppy.setFileMeta(file.id, { size: file.size }))"
            )
        return data


class CompanionSchema(Schema):
    """``POST .../s3/multipart``."""

    class Meta:
        """Uppy may send more."""

        unknown = EXCLUDE

    filename = fields.String(required=True)
    type = content_type_field(allow_none=True, load_default=None)
    metadata = fields.Nested(CompanionMetadataSchema, required=True)

    @pre_load
    def accept_what_is_not_there(self, data: Any, **kwargs: Any) -> Any:
        """Take an empty type for none, as browsers do not know all types, and so for metadata."""
        return {"metadata": {}, **data, "type": data.get("type") or None}
