# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The states of an upload, and the only moves between them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class UploadState(StrEnum):
    """Where an upload stands.

    What a state promises is committed to the database *before* the store is called, so a crash at
    any line leaves a row that says what was under way.
    """

    PENDING = "pending"
    """Parts may be sent."""
    COMPLETING = "completing"
    """The store was asked, or is about to be asked, to assemble the object."""
    COMPLETED = "completed"
    """The object was proved at the store and its file is readable."""
    ABORTING = "aborting"
    """The store was asked, or is about to be asked, to drop the parts."""
    ABORTED = "aborted"
    """Nothing is left at the store; the quota was given back."""
    EXPIRED = "expired"
    """Its time ran out; the sweep is about to drop the parts."""
    FAILED = "failed"
    """The store refused or lost the upload; the row says why, the quota was given back."""


MOVES: Mapping[UploadState, frozenset[UploadState]] = MappingProxyType(
    {
        UploadState.PENDING: frozenset(
            {
                UploadState.COMPLETING,
                UploadState.ABORTING,
                UploadState.EXPIRED,
                UploadState.FAILED,
            }
        ),
        # Back to pending when the store refuses the list of parts: nothing was made, nothing is
        # lost, and the client can mend its parts in the same session.
        UploadState.COMPLETING: frozenset(
            {
                UploadState.COMPLETED,
                UploadState.PENDING,
                UploadState.ABORTING,
                UploadState.FAILED,
            }
        ),
        UploadState.ABORTING: frozenset({UploadState.ABORTED}),
        UploadState.EXPIRED: frozenset({UploadState.ABORTED}),
        UploadState.COMPLETED: frozenset(),
        UploadState.ABORTED: frozenset(),
        UploadState.FAILED: frozenset(),
    }
)
"""The legal moves; whatever is not here is a bug or a race, and is refused."""

FINAL_STATES = frozenset(state for state, targets in MOVES.items() if not targets)
"""States that nothing leaves."""


class IllegalMove(RuntimeError):
    """A move that :data:`MOVES` does not allow: a bug in the caller, never the client's fault."""


def check_move(old: UploadState, new: UploadState) -> None:
    """Refuse a move that is not in :data:`MOVES`.

    :raises IllegalMove: when it is not.
    """
    if new not in MOVES[old]:
        raise IllegalMove(f"An upload cannot move from {old} to {new}.")
