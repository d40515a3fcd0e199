# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Access to a store that a tool is to be configured with, and what its values may be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from urllib.parse import urlsplit


class ToolConfigError(ValueError):
    """A configuration cannot be written or merged; the text says why, without a secret."""


_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]")

_BREAKS_LINES = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
"""What could begin a new line or section of a configuration, in whatever way a tool reads it;
and halves of characters, which no file can have."""

_NOT_PLAIN = re.compile(r"[^!-~]|[\"'`\\;#%]")
"""What some tool reads as a quote, a comment or a variable. No store makes keys with it."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


def profile_name(name: str) -> str:
    """Return a name that is legal in all tools: ``user.name:dataset`` is ``user-name-dataset``.

    Everything but ASCII letters, digits, ``_`` and ``-`` becomes ``-``, and what does not begin
    with a letter is preceded by ``s3-``. mc has the strictest rule: a letter, then at least one of
    these characters. Two names can become one.
    """
    legal = _NOT_IN_NAMES.sub("-", name)
    return legal if re.match(r"[A-Za-z].", legal) else f"s3-{legal}"


@dataclass(frozen=True)
class ToolAccess:
    """Keys with what they open: one object, or all below a prefix.

    :param name: what the keys are for, such as ``user.name:dataset``.
    :param endpoint_url: address of the store.
    :param prefix: what the keys of the objects begin with, with or without the slash at its end;
        empty for the whole bucket. Either it is given, or ``key``.
    :param key: key of the one object.
    :param token: of temporary keys.
    :param expires_at: when temporary keys end, as it is written in JSON: ``2030-01-31T12:00:00Z``.
    :param provider: ``aws``, ``ceph`` or ``minio``; anything else is ``other``.
    :raises ToolConfigError: for values with which no tool could be configured, or another one than
        is meant: a line break would begin a setting of its own.
    """

    name: str
    endpoint_url: str
    region: str
    bucket: str
    access_key: str
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: str | None = None
    prefix: str | None = None
    key: str | None = None
    provider: str = "other"

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value is not None and _BREAKS_LINES.search(value):
                raise ToolConfigError(f"The {each.name} has characters that break lines.")
        for name in ("endpoint_url", "region", "bucket", "access_key", "secret_key"):
            if not getattr(self, name):
                raise ToolConfigError(f"There is no {name}.")
        for name in ("endpoint_url", "region", "access_key", "secret_key", "token"):
            if _NOT_PLAIN.search(getattr(self, name) or ""):
                raise ToolConfigError(f"The {name} has characters that some tool would misread.")
        if (self.prefix is None) == (self.key is None):
            raise ToolConfigError("Access is either to a prefix or to the key of one object.")
        if self.expires_at is not None and not _TIME.fullmatch(self.expires_at):
            raise ToolConfigError("The expires_at is no time such as 2030-01-31T12:00:00Z.")
        parts = urlsplit(self.endpoint_url)
        if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
            raise ToolConfigError("The endpoint_url is no address of a store.")

    @property
    def profile(self) -> str:
        """The name of the entry in a tool's configuration."""
        return profile_name(self.name)

    @property
    def target(self) -> str:
        """The key, or the prefix with a slash at its end."""
        if self.key is not None:
            return self.key
        prefix = (self.prefix or "").removesuffix("/")
        return f"{prefix}/" if prefix else ""

    @property
    def path(self) -> str:
        """Bucket and key, or bucket and prefix with a slash at its end."""
        return f"{self.bucket}/{self.target}"

    def host(self) -> str:
        """Return host and port of the store.

        :raises ToolConfigError: when its address has a path, which not all tools can say.
        """
        parts = urlsplit(self.endpoint_url)
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise ToolConfigError(
                f"This tool knows no stores below a path, such as {self.endpoint_url}: "
                "choose another format."
            )
        return parts.netloc
