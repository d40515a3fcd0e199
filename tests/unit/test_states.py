# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""The states of an upload: the table of design and the properties that any table needs."""

from __future__ import annotations

from itertools import product

import pytest

from oarepo_s3.core.states import FINAL_STATES, MOVES, IllegalMove, UploadState, check_move

LEGAL = {
    ("pending", "completing"),
    ("pending", "aborting"),
    ("pending", "expired"),
    ("pending", "failed"),
    ("completing", "completed"),
    ("completing", "pending"),
    ("completing", "aborting"),
    ("completing", "failed"),
    ("aborting", "aborted"),
    ("expired", "aborted"),
}
FINAL = {"completed", "aborted", "failed"}
EVERY_PAIR = list(product([state.value for state in UploadState], repeat=2))


def reachable(start: UploadState) -> set[UploadState]:
    found, waiting = {start}, [start]
    while waiting:
        new = MOVES[waiting.pop()] - found
        found |= new
        waiting += new
    return found


@pytest.mark.parametrize(("old", "new"), EVERY_PAIR)
def test_only_the_moves_of_the_table_are_legal(old, new):
    if (old, new) in LEGAL:
        check_move(UploadState(old), UploadState(new))
        return
    with pytest.raises(IllegalMove, match=f"from {old} to {new}"):
        check_move(UploadState(old), UploadState(new))


def test_final_states_are_those_that_nothing_leaves():
    assert FINAL_STATES == FINAL
    for state in FINAL_STATES:
        assert reachable(state) == {state}


def test_every_state_is_reached_from_pending():
    assert reachable(UploadState.PENDING) == set(UploadState)


@pytest.mark.parametrize("state", [state for state in UploadState if state.value not in FINAL])
def test_an_upload_can_always_end(state):
    assert reachable(state) & FINAL_STATES


def test_the_table_of_moves_cannot_be_changed():
    with pytest.raises(TypeError):
        MOVES[UploadState.ABORTED] = frozenset({UploadState.PENDING})


def test_states_are_stored_and_sent_as_their_plain_names():
    assert [str(state) for state in UploadState] == [
        "pending",
        "completing",
        "completed",
        "aborting",
        "aborted",
        "expired",
        "failed",
    ]
