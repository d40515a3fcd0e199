# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the state machine draws from: steps, files, and faults of the store."""

from __future__ import annotations

from hypothesis import strategies as st

from oarepo_s3.core import errors

from .model import PART

KEYS = st.sampled_from(["a", "a", "b"])
SIZES = st.sampled_from([PART + 1, 3 * PART, PART, 1, 0])
QUOTA = 30 * PART
DOWN = errors.StoreUnavailable(reason="down")

CREATE_FAULTS = {
    "refused": (errors.StoreDenied(reason="no"), False),
    "not done": (DOWN, False),
    "answer lost": (DOWN, True),
}
COMPLETE_FAULTS = {
    "no list": ("list_parts", DOWN, False),
    "refused": ("complete_upload", errors.StorePartsRejected(reason="InvalidPart"), False),
    "not done": ("complete_upload", DOWN, False),
    "answer lost": ("complete_upload", DOWN, True),
    "not seen": ("head", DOWN, False),
}

STEPS = {
    "sweep": 2,
    "recover": 2,
    "clear_orphans": 1,
    "delete": 2,
    "complete": 3,
    "abort": 3,
    "begin_by_assignment": 4,
    "begin_by_rest": 2,
    "remove": 1,
    "copy": 1,
    "neglect": 1,
    "write": 1,
    "administer": 1,
}
"""How often each step is taken. One rule draws them: of many rules, Hypothesis would leave most out
of most runs, and a bug needs several in a row. It likes the first ones best: those that soon have
nothing left to do come first."""


def faults(*names):
    """Draw a fault, or none: most calls have to get through."""
    return st.sampled_from([None] * len(names) * 2 + list(names))
