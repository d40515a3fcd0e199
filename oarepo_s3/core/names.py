# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What may not be in the name of a file, and how a header says the name."""

from __future__ import annotations

import re
from typing import Literal
from unicodedata import normalize
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


_MISREAD = re.compile(r'["\\%/]')
"""What clients misread in a file name (RFC 6266, appendix D)."""

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
"""What needs no quotes (RFC 9110, 5.6.2)."""

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
    bare = normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    plain = _MISREAD.sub("_", bare)
    header = f"{kind}; filename=" + (plain if _TOKEN.match(plain) else f'"{plain}"')
    return header if plain == name else f"{header}; filename*=UTF-8''{quote(name, _ATTR_CHAR)}"
