# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Names of scopes, and the prefixes that they may have.

A scope is a prefix in a location whose objects other tools write. Its name is ``scope:name``, such
as ``user.name:dataset``. A prefix that nobody has given a name has that of its place: the location,
a colon and the prefix, as an operator writes it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from .errors import InvalidScope
from .names import UNFIT

MAX_LENGTH = 255
"""Characters of a name, the colon included."""

_HALF = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_LOCATION = re.compile(r"[a-z][a-z0-9-]{1,19}")
_UUID = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx"
_FILE_ID = re.compile(_UUID.replace("x", "[0-9a-f]"))
_WILD = re.compile(r"[*?$\\[]")


@dataclass(frozen=True, slots=True)
class ScopeName:
    """A name in two halves: whose it is (a user, a group, a project), and what it is.

    Each half is made of ASCII letters, digits, dots, dashes and underscores, and begins and ends
    with a letter or a digit: it can be a part of a key, of an address and of a policy as it is.
    """

    scope: str
    name: str

    @classmethod
    def parse(cls, written: str) -> ScopeName:
        """Read ``scope:name``.

        :raises InvalidScope: for anything else.
        """
        _check_length(written)
        scope, colon, name = written.partition(":")
        if not (colon and _HALF.fullmatch(scope) and _HALF.fullmatch(name)):
            raise InvalidScope(
                reason=f"{written!r} is not two names with a colon between them, each of letters,"
                " digits, dots, dashes and underscores, with a letter or a digit at both ends"
            )
        return cls(scope, name)

    def __str__(self) -> str:
        return f"{self.scope}:{self.name}"

    @property
    def prefix(self) -> str:
        """The prefix of a scope for which none was chosen."""
        return f"{self.scope}/{self.name}"


@dataclass(frozen=True, slots=True)
class Place:
    """A prefix in a location; an empty one is the whole location."""

    location: str
    prefix: str

    @classmethod
    def parse(cls, written: str) -> Place:
        """Read ``LOCATION`` or ``LOCATION:PREFIX``.

        :raises InvalidScope: for anything else.
        """
        _check_length(written)
        location, _, prefix = written.partition(":")
        if not _LOCATION.fullmatch(location):
            raise InvalidScope(reason=f"{location!r} is no name of a location")
        return cls(location, check_prefix(prefix))

    def __str__(self) -> str:
        return f"{self.location}:{self.prefix}" if self.prefix else self.location


def check_prefix(prefix: str) -> str:
    """Return a prefix without the slash at its end.

    What a policy would read as something else than itself is refused, because temporary keys are
    narrowed to the prefix by one.

    :raises InvalidScope: for one that no key should begin with.
    """
    bare = prefix.removesuffix("/")
    if UNFIT.search(bare) or _WILD.search(bare):
        raise InvalidScope(reason="the prefix has control characters, or one of * ? $ [ \\")
    if prefix and not {"", ".", ".."}.isdisjoint(bare.split("/")):
        raise InvalidScope(reason="the prefix has an empty piece, or one that is . or ..")
    return bare


def begins_like_a_file(prefix: str, *, dimensions: int, length: int) -> bool:
    """Whether a key below a prefix could be that of a file that Invenio keeps in the location.

    Those lie at ``ab/cd/<rest of the file's id>/data-<mark>``.

    :param dimensions: how many pieces are cut off the id (``FILES_REST_STORAGE_PATH_DIMENSIONS``).
    :param length: characters of each (``FILES_REST_STORAGE_PATH_SPLIT_LENGTH``).
    """
    first = prefix.partition("/")[0]
    piece = (_UUID[:length] if dimensions else _UUID).replace("x", "[0-9a-f]")
    return bool(re.fullmatch(piece, first))


def is_like_a_file(key: str, *, dimensions: int, length: int) -> bool:
    """Whether a key is laid out as that of a file that Invenio keeps in the location.

    The arguments are those above.
    """
    *pieces, _ = key.split("/")
    cut = [len(piece) for piece in pieces[:-1]]
    return cut == [length] * dimensions and bool(_FILE_ID.fullmatch("".join(pieces)))


def overlap(one: str, other: str) -> bool:
    """Whether of two URIs that end in a slash one lies in the other."""
    return one.startswith(other) or other.startswith(one)


def _check_length(written: str) -> None:
    if len(written) > MAX_LENGTH:
        raise InvalidScope(
            reason=f"the name has {len(written)} characters, {MAX_LENGTH} are possible"
        )
