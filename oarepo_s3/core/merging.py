# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Compare two ordered streams, holding one item of each: they may be of any length."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

One = TypeVar("One")
Other = TypeVar("Other")


def merge_join(
    ones: Iterator[One],
    others: Iterator[Other],
    key_of_one: Callable[[One], bytes],
    key_of_other: Callable[[Other], bytes],
) -> Iterator[tuple[One | None, Other | None]]:
    """Yield pairs of equal keys, and what has no partner with None in the partner's place.

    Both streams have to be in ascending order of their keys, each key once.
    """
    one, other = next(ones, None), next(others, None)
    while one is not None or other is not None:
        if other is None or (one is not None and key_of_one(one) < key_of_other(other)):
            yield one, None
            one = next(ones, None)
        elif one is None or key_of_other(other) < key_of_one(one):
            yield None, other
            other = next(others, None)
        else:
            yield one, other
            one, other = next(ones, None), next(others, None)
