# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What may not be in the name of a file."""

from __future__ import annotations

import re

UNFIT = re.compile(r"[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, line breaks, marks that turn the direction of text (they hide what a name
ends in), and halves of characters.

Spaces of all kinds and joiners are people's: screenshots of macOS have a narrow no-break space in
their names.
"""


def fit_name(name: str) -> str:
    """Return a name with ``_`` for what does not belong there: no HTTP header can carry it."""
    return UNFIT.sub("_", name)
