# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the API grants, as what a tool is configured with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import ClientError
from .tool_configs import ToolAccess, ToolConfigError


def access_of(answer: Mapping[str, Any], name: str) -> ToolAccess:
    """Return the access that an answer grants.

    :param name: of the entry in the tool's configuration, in whatever characters.
    :raises ClientError: when the answer lacks something, or has what no tool could take.
    """
    try:
        keys = answer["credentials"]
        return ToolAccess(
            name=name,
            endpoint_url=answer["endpoint_url"],
            region=answer["region"],
            bucket=answer["bucket"],
            prefix=answer.get("prefix"),
            key=answer.get("key"),
            provider=answer.get("provider", "other"),
            access_key=keys["accessKeyId"],
            secret_key=keys["secretAccessKey"],
            token=keys.get("sessionToken"),
            expires_at=answer.get("expires_at"),
        )
    except ToolConfigError as error:
        raise ClientError(f"The server's answer cannot be used. {error}") from error
    except (AttributeError, KeyError, TypeError):
        # What was wrong may be a secret: the traceback ends here.
        raise ClientError(
            "The server's answer is not understood: is this client too old for it?"
        ) from None
