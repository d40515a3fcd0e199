# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What may not be in the name of a file, and how a header says the name."""

from __future__ import annotations

import re
from typing import Literal
from unicodedata import combining, normalize
from urllib.parse import quote

UNFIT = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line breaks, marks that turn the direction of text (they hide what a name
ends in), and halves of characters.

Spaces of all kinds and joiners are people's: screenshots of macOS have a narrow no-break space in
their names.
"""


def fit_name(name: str) -> str:
    """Return a name with ``_`` for what does not belong there: no HTTP header can carry it."""
    return UNFIT.sub("_", name)


_NOT_PLAIN = re.compile(r'[^ -~]|["\\%/]')
"""What clients misread in a quoted file name (RFC 6266, appendix D), and whatever is no ASCII."""

_ATTR_CHAR = "!#$&+-.^_`|~"
"""What stands for itself in an extended value, beside letters and digits (RFC 5987, 3.2.1)."""


def content_disposition(kind: Literal["inline", "attachment"], name: str) -> str:
    """Return a Content-Disposition header with a file's name (RFC 6266), in ASCII alone.

    The name itself is in ``filename*``, which all of today's clients prefer; ``filename`` is what
    is left of it for the others, and enough where nothing had to be changed.

    :param name: any text; without any, clients choose a name themselves.
    """
    name = fit_name(name)
    if not name:
        return kind
    bare = "".join(character for character in normalize("NFKD", name) if not combining(character))
    plain = _NOT_PLAIN.sub("_", bare)
    header = f'{kind}; filename="{plain}"'
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, _ATTR_CHAR)}"
