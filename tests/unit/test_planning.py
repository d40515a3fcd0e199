# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""How a file is cut: what holds for every cut, and the sizes at which something changes."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oarepo_s3.core.errors import InvalidRequest, InvalidSize, PartOutOfRange
from oarepo_s3.core.planning import (
    GIB,
    MIB,
    TIB,
    PartLimits,
    PartPlan,
    cut_by_uppy,
    plan_parts,
    take_plan,
)

S3 = PartLimits()
LARGEST = 10_000 * 5 * GIB
"""48.8 TiB: what S3 takes in all."""
RAISED = PartLimits(max_size=LARGEST)
PREFERRED = 16 * MIB

sizes = st.integers(0, LARGEST) | st.sampled_from(
    [0, 1, 5 * MIB, 5 * MIB + 1, 10_000 * 5 * MIB, 10_000 * 5 * MIB + 1, 5 * TIB, LARGEST]
)
part_sizes = st.integers(1, 6 * GIB) | st.sampled_from([1, 5 * MIB, 5 * MIB + 1, 5 * GIB])


@st.composite
def any_limits(draw: st.DrawFn) -> PartLimits:
    smallest = draw(st.integers(1, 5 * GIB))
    return PartLimits(
        min_part_size=smallest,
        max_part_size=draw(st.integers(smallest, 5 * GIB)),
        max_parts=draw(st.integers(1, 50_000)),
        max_size=draw(st.integers(1, LARGEST)),
    )


def parts_needed(size: int, part_size: int) -> int:
    whole, rest = divmod(size, part_size)
    return max(1, whole + bool(rest))


def is_legal(part_size: int, size: int, limits: PartLimits) -> bool:
    return (
        limits.min_part_size <= part_size <= limits.max_part_size
        and parts_needed(size, part_size) <= limits.max_parts
    )


def fits(size: int, limits: PartLimits) -> bool:
    return size <= limits.max_size and size <= limits.max_parts * limits.max_part_size


def cut(
    size: int, limits: PartLimits, preferred: int = PREFERRED, wish: int | None = None
) -> PartPlan:
    return plan_parts(size, limits=limits, preferred=preferred, wish=wish)


@given(sizes, any_limits() | st.just(RAISED), part_sizes, st.none() | part_sizes)
def test_every_cut_holds_the_whole_file_within_the_limits_of_the_store(
    size, limits, preferred, wish
):
    if not fits(size, limits):
        with pytest.raises(InvalidSize):
            cut(size, limits, preferred, wish)
        return
    plan = cut(size, limits, preferred, wish)

    assert plan.size == size
    assert 1 <= plan.num_parts <= limits.max_parts
    last = plan.size_of(plan.num_parts)
    assert plan.part_size * (plan.num_parts - 1) + last == size
    assert 1 <= last <= limits.max_part_size or size == last == 0
    for part in {1, plan.num_parts // 2, plan.num_parts - 1} - {0, plan.num_parts}:
        assert plan.size_of(part) == plan.part_size
    assert limits.min_part_size <= plan.part_size <= limits.max_part_size


@given(st.integers(0, 2000), st.integers(1, 50), st.integers(1, 50))
def test_the_sizes_of_all_parts_add_up(size, smallest, wish):
    limits = PartLimits(min_part_size=smallest, max_part_size=2000, max_parts=100)
    plan = cut(size, limits, preferred=20, wish=wish)
    every = [plan.size_of(part) for part in range(1, plan.num_parts + 1)]
    assert sum(every) == size
    assert all(smallest <= part <= 2000 for part in every[:-1])


@given(sizes, part_sizes)
@example(size=10_000 * 5 * MIB + 1, wish=5 * MIB + 1)
def test_a_legal_wish_is_honoured_to_the_byte(size, wish):
    plan = cut(size, RAISED, wish=wish)
    if is_legal(wish, size, RAISED):
        assert plan.part_size == wish
    elif wish > RAISED.max_part_size:
        assert plan.part_size == RAISED.max_part_size
    else:
        # the nearest legal part size, in whole MiB
        assert is_legal(plan.part_size, size, RAISED)
        assert plan.part_size > wish
        assert not is_legal(plan.part_size - MIB, size, RAISED)


@given(sizes, part_sizes)
def test_without_a_wish_the_preferred_part_size_is_taken_where_it_is_legal(size, preferred):
    plan = cut(size, RAISED, preferred=preferred)
    if is_legal(preferred, size, RAISED):
        assert plan.part_size == preferred


@given(sizes, st.integers())
def test_a_part_that_the_plan_does_not_have_is_out_of_range(size, part):
    plan = cut(size, RAISED)
    if 1 <= part <= plan.num_parts:
        assert plan.size_of(part) >= 0
        return
    with pytest.raises(PartOutOfRange) as refused:
        plan.size_of(part)
    assert refused.value.context == {"part": part, "num_parts": plan.num_parts}


@pytest.mark.parametrize(
    ("size", "wish", "part_size", "num_parts", "last"),
    [
        pytest.param(0, None, 16 * MIB, 1, 0, id="empty"),
        pytest.param(1, None, 16 * MIB, 1, 1, id="one byte"),
        pytest.param(5 * MIB - 1, 5 * MIB, 5 * MIB, 1, 5 * MIB - 1, id="below the smallest"),
        pytest.param(5 * MIB, 5 * MIB, 5 * MIB, 1, 5 * MIB, id="the smallest"),
        pytest.param(5 * MIB + 1, 5 * MIB, 5 * MIB, 2, 1, id="above the smallest"),
        pytest.param(5 * MIB + 1, 1, 5 * MIB, 2, 1, id="a wish below the smallest"),
        pytest.param(9 * GIB, 6 * GIB, 5 * GIB, 2, 4 * GIB, id="a wish above the largest"),
        pytest.param(160_000 * MIB, None, 16 * MIB, 10_000, 16 * MIB, id="10,000 parts"),
        # 9,411 parts of 17 MiB are 159,987 MiB.
        pytest.param(160_000 * MIB + 1, None, 17 * MIB, 9_412, 13 * MIB + 1, id="a byte more"),
        # 5 TiB / 10,000 = 524.288 MiB; 9,986 parts of 525 MiB are 5,242,650 of 5,242,880 MiB.
        pytest.param(5 * TIB, None, 525 * MIB, 9_987, 230 * MIB, id="5 TiB"),
        pytest.param(LARGEST, None, 5 * GIB, 10_000, 5 * GIB, id="48.8 TiB"),
        pytest.param(LARGEST - 1, 1, 5 * GIB, 10_000, 5 * GIB - 1, id="a byte less"),
    ],
)
def test_the_cut_at_the_sizes_where_it_changes(size, wish, part_size, num_parts, last):
    plan = cut(size, RAISED, wish=wish)
    assert (plan.part_size, plan.num_parts) == (part_size, num_parts)
    assert plan.size_of(num_parts) == last


def test_the_largest_part_is_no_whole_mib_where_only_that_fits():
    limits = PartLimits(max_part_size=5 * MIB + 1, max_parts=10)
    assert cut(50 * MIB + 1, limits).part_size == 5 * MIB + 1


@pytest.mark.parametrize(
    ("size", "wish", "limits"),
    [
        pytest.param(-1, None, S3, id="negative"),
        pytest.param(5 * TIB + 1, None, S3, id="above what the store takes"),
        pytest.param(LARGEST + 1, None, RAISED, id="above 48.8 TiB"),
        pytest.param(LARGEST + 1, None, PartLimits(max_size=2**60), id="more than all parts"),
        pytest.param(1, 0, S3, id="a wish of nothing"),
        pytest.param(1, -5, S3, id="a negative wish"),
    ],
)
def test_what_no_cut_can_hold_is_refused_with_the_sizes_that_are_possible(size, wish, limits):
    with pytest.raises(InvalidSize) as refused:
        cut(size, limits, wish=wish)
    said = refused.value.context
    assert said["size"] == (size if wish is None else wish)
    assert not said["min_size"] <= said["size"] <= said["max_size"]
    assert cut(said["max_size"], limits) if wish is None else cut(1, limits, wish=said["min_size"])


def test_the_limits_are_those_of_amazon_s3_with_5_tib_for_an_object():
    assert (S3.min_part_size, S3.max_part_size) == (5 * 1024**2, 5 * 1024**3)
    assert (S3.max_parts, S3.max_size) == (10_000, 5 * 1024**4)


@given(sizes, any_limits() | st.just(RAISED), st.none() | part_sizes)
def test_a_cut_that_was_chosen_here_is_taken_when_a_client_has_made_it(size, limits, wish):
    if not fits(size, limits):
        return
    plan = cut(size, limits, wish=wish)
    given_back = take_plan(size, limits=limits, num_parts=plan.num_parts, part_size=plan.part_size)
    assert given_back == plan


@given(sizes, any_limits() | st.just(RAISED), st.integers(-1, 50_001), st.none() | part_sizes)
def test_a_clients_cut_is_taken_as_it_is_or_refused(size, limits, num_parts, part_size):
    try:
        plan = take_plan(size, limits=limits, num_parts=num_parts, part_size=part_size)
    except (InvalidRequest, InvalidSize):
        return
    assert (plan.size, plan.num_parts) == (size, num_parts)
    assert part_size in (None, plan.part_size)
    assert sum(plan.size_of(part) for part in range(1, num_parts + 1)) == size
    assert num_parts == 1 or is_legal(plan.part_size, size, limits)


@pytest.mark.parametrize(
    ("size", "num_parts", "part_size", "error"),
    [
        (-1, 1, MIB, InvalidSize),
        (5 * TIB + 1, 10_000, GIB, InvalidSize),
        (10 * MIB, 0, 5 * MIB, InvalidRequest),
        (10 * MIB, 10_001, 5 * MIB, InvalidRequest),
        (10_001 * 5 * MIB, 10_001, 5 * MIB, InvalidRequest),
        (10_001 * 5 * MIB, 10_001, None, InvalidRequest),
        (10 * MIB, 1, 5 * MIB, InvalidRequest),
        (10 * MIB, 3, 5 * MIB, InvalidRequest),
        (10 * MIB, 3, 4 * MIB, InvalidSize),
        (10 * MIB, 3, None, InvalidSize),
        (10 * MIB, 1, 0, InvalidSize),
        (10 * GIB, 2, 5 * GIB + 1, InvalidSize),
        (10 * GIB, 1, None, InvalidSize),
    ],
)
def test_a_clients_cut_that_cannot_be(size, num_parts, part_size, error):
    with pytest.raises(error):
        take_plan(size, limits=S3, num_parts=num_parts, part_size=part_size)


@pytest.mark.parametrize(
    ("size", "num_parts", "part_size", "taken"),
    [
        (0, 1, None, 1),
        (0, 1, 7, 7),
        (3, 1, 3, 3),
        (3, 1, None, 3),
        (17 * MIB, 2, None, 17 * MIB // 2),
        (10 * MIB + 1, 2, None, 5 * MIB + 1),
        (10 * MIB, 2, 5 * MIB, 5 * MIB),
    ],
)
def test_a_clients_cut_that_can_be(size, num_parts, part_size, taken):
    plan = take_plan(size, limits=S3, num_parts=num_parts, part_size=part_size)
    assert plan == PartPlan(size, taken, num_parts)


def uppy_6(size, chunk_size=None):
    """As @uppy/aws-s3 6.3.1 computes it (S3Uploader): the sizes of the parts."""
    chunk = max(math.ceil(size / 10_000) if chunk_size is None else chunk_size, 5 * MIB)
    if math.ceil(size / chunk) > 10_000:
        chunk = math.ceil(size / 10_000)
    return [min(chunk, size - offset) for offset in range(0, size, chunk)]


def uppy_5(size, chunk_size=None):
    """As @uppy/aws-s3 5.1.0 does (MultipartUploader): a small file is one part, also an empty one.

    With a ``getChunkSize`` of more than 10,000 parts it cuts within a byte; see the how-to.
    """
    if size <= 5 * MIB:
        return [size]
    chunk = max(math.ceil(size / 10_000) if chunk_size is None else chunk_size, 5 * MIB)
    assert size // chunk <= 10_000
    return [min(chunk, size - offset) for offset in range(0, size, chunk)]


UPPY_SIZES = [
    1, 5 * MIB - 1, 5 * MIB, 5 * MIB + 1, 10 * MIB, 10_000 * 5 * MIB - 1, 10_000 * 5 * MIB,
    10_000 * 5 * MIB + 1, 10_000 * 5 * MIB + 10_001, 5 * TIB,
]  # fmt: skip


@pytest.mark.parametrize("size", UPPY_SIZES)
@pytest.mark.parametrize("wish", [None, 5 * MIB, 8 * MIB, GIB])
def test_the_plan_is_the_cut_that_uppy_makes(size, wish):
    num_parts, part_size = cut_by_uppy(size, wish)
    plan = take_plan(size, limits=S3, num_parts=num_parts, part_size=part_size)
    ours = [plan.size_of(part) for part in range(1, plan.num_parts + 1)]
    assert ours == uppy_6(size, wish)
    if size <= (wish or size) * 10_000:
        assert ours == uppy_5(size, wish)


def test_uppy_5_sends_an_empty_file_as_one_part():
    num_parts, part_size = cut_by_uppy(0)
    plan = take_plan(0, limits=S3, num_parts=num_parts, part_size=part_size)
    assert [plan.size_of(1)] == uppy_5(0)


def test_a_wish_that_is_too_small_is_what_uppy_makes_of_it():
    assert cut_by_uppy(6 * MIB, 1) == (2, 5 * MIB)
