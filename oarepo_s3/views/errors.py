# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The one place where errors become HTTP answers."""

from __future__ import annotations

import logging
from typing import Any

from flask import Response, jsonify
from flask.views import MethodView
from marshmallow import ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError, PendingRollbackError

from ..core.errors import DatabaseUnavailable, InvalidRequest, UploadError
from ..services.transactions import roll_back

logger = logging.getLogger(__name__)

DATABASE_ERRORS = (OperationalError, InterfaceError)
"""What the database's driver says of a server that is away, or busy beyond its patience."""

_CONNECTION_BROKEN = "8s2b"
"""SQLAlchemy's code of the one PendingRollbackError that is not a mistake of the caller: the
connection broke in the middle of a transaction."""


class Resource(MethodView):
    """A view whose errors have Invenio's form, with a stable code, wherever it is mounted."""

    init_every_request = False

    def dispatch_request(self, **kwargs: Any) -> Any:
        """Call the method."""
        try:
            return super().dispatch_request(**kwargs)
        except (UploadError, ValidationError, *DATABASE_ERRORS, PendingRollbackError) as error:
            answer = answer_to(error)
            if answer is None:
                raise
            return answer


def answer_to(error: BaseException | None) -> Response | None:
    """Return the answer for an error that clients are told of, None for any other."""
    if isinstance(error, UploadError):
        return error_response(error)
    if isinstance(error, ValidationError):
        return error_response(_from_validation(error))
    if isinstance(error, DATABASE_ERRORS):
        return database_unavailable(error)
    # A flush rolls back by itself, and hides the driver's error; see roll_back.
    if isinstance(error, PendingRollbackError) and error.code == _CONNECTION_BROKEN:
        return database_unavailable(error)
    return None


def database_unavailable(error: Exception) -> Response:
    """Answer for a database that is away."""
    logger.warning(
        "The database did not answer (%s).",
        type(error).__name__,
        extra={"action": "database_unavailable"},
    )
    # Not left to the end of the request, where an error of the rollback would become a 500.
    roll_back()
    return error_response(DatabaseUnavailable())


def let_go(response: Response) -> Response:
    """End what reading has begun, before the end of the request does.

    The answer is right by now; a connection that breaks at that moment must not make it a 500.
    """
    roll_back()
    return response


def error_response(error: UploadError) -> Response:
    """Write an error as ``{"status", "message", "code", "errors"?}``."""
    body: dict[str, Any] = {
        "status": error.status,
        "message": str(error),
        "code": error.code,
    }
    if error.errors:
        body["errors"] = error.errors
    response = jsonify(body)
    response.status_code = error.status
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _from_validation(error: ValidationError) -> InvalidRequest:
    details = [{"field": field, "message": message} for field, message in _flatten(error.messages)][
        :20
    ]
    fields = ", ".join(dict.fromkeys(detail["field"] or "body" for detail in details))
    return InvalidRequest(reason=f"see {fields}", errors=details)


def _flatten(messages: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(messages, dict):
        return [
            found
            for name, inner in messages.items()
            for found in _flatten(inner, path if name == "_schema" else f"{path}.{name}".strip("."))
        ]
    if isinstance(messages, list):
        return [found for inner in messages for found in _flatten(inner, path)]
    return [(path, str(messages))]
