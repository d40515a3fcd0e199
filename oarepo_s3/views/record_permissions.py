# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What a record endpoint decides by: the permission factories of its settings.

All that belongs to an upload needs what it takes to put a file there: to begin it, to sign and list
its parts, to complete and also to abort it. An abort takes back what a put has begun, and removes
nothing that anybody could read, so it does not need the permission to delete files.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from werkzeug.utils import import_string

from ..core.errors import Forbidden, NotAuthenticated
from ..permissions import current_user_id


@dataclass(frozen=True, slots=True)
class FilePermission:
    """A permission factory as it stands in the settings of an endpoint.

    :param factory: called with ``view``, ``record``, ``key`` and ``file_object``, for an object
        with ``can()``; or its import name; or such an object itself. None is a no.
    """

    factory: Any

    def require(self, view: Any, record: Any, key: str) -> None:
        """Let the caller do what the view does to a file of a record.

        :raises NotAuthenticated: when nobody is logged in, and more may be allowed to who is.
        :raises Forbidden: when they may not.
        """
        factory = import_string(self.factory) if isinstance(self.factory, str) else self.factory
        if callable(factory):
            file_object = _file_object(record, key)
            factory = factory(view=view, record=record, key=key, file_object=file_object)
        if factory is None or not factory.can():
            raise NotAuthenticated() if current_user_id() is None else Forbidden()


def permission_of(
    files: Mapping[str, Any] | None, rest_endpoint: Mapping[str, Any] | None
) -> FilePermission | None:
    """Return what decides at an endpoint with these settings.

    None when there are none, as of a stack that registers the views by hand.
    """
    if files is None or not (files or rest_endpoint):
        return None
    return FilePermission(files.get("put_file_factory"))


def _file_object(record: Any, key: str) -> Any:
    """Return a file of a record, None when it has no such file."""
    if record.files is None or "\x00" in key:
        # PostgreSQL does not even take the question.
        return None
    try:
        return record.files[key]
    except KeyError:
        return None
