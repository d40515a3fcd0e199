# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Parts that a client asks for, claims or has sent."""

from __future__ import annotations

import time
from collections.abc import Iterable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oarepo_s3.core.errors import (
    ETagMismatch,
    InvalidRequest,
    MissingParts,
    PartOutOfRange,
    PartSizeMismatch,
    TooManyParts,
)
from oarepo_s3.core.parts import (
    SHOWN,
    UploadedPart,
    check_claims,
    check_uploaded,
    describe,
    parse_part_ranges,
)
from oarepo_s3.core.planning import PartPlan

PLAN = PartPlan(size=95, part_size=10, num_parts=10)
BIG = PartPlan(size=100_000, part_size=10, num_parts=10_000)


def parse(text: str, num_parts: int = 10_000, most: int = 1000) -> list[int]:
    return parse_part_ranges(text, num_parts=num_parts, most=most)


def uploaded(plan: PartPlan, parts: Iterable[int] | None = None) -> list[UploadedPart]:
    every = range(1, plan.num_parts + 1) if parts is None else parts
    return [UploadedPart(part, plan.size_of(part), f"etag{part}") for part in every]


def claims(plan: PartPlan) -> dict[int, str]:
    return {part: f"etag{part}" for part in range(1, plan.num_parts + 1)}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1", [1]),
        ("10000", [10_000]),
        ("1-3", [1, 2, 3]),
        ("7-7", [7]),
        ("1-3,9", [1, 2, 3, 9]),
        ("9,1-3", [9, 1, 2, 3]),
        ("2,2,1-3", [2, 1, 3]),
        (" 1 , 4-5 ", [1, 4, 5]),
        ("007", [7]),
        ("1-1000", list(range(1, 1001))),
    ],
)
def test_part_ranges_give_each_part_once_in_the_order_asked(text, parts):
    assert parse(text) == parts


@pytest.mark.parametrize(
    "text",
    [
        *["", " ", ",", "1,", "a", "1-", "-1", "--", "1--2", "1-2-3", "1.5", "+1", "0x1", "1e3"],
        *["1;2", "٣", "1-٣", "²", "1\n2", "1 - 2", "1\x00", "1" * 7, "1-" + "9" * 4000],
    ],
)
def test_what_is_no_list_of_part_ranges_is_an_invalid_request(text):
    with pytest.raises(InvalidRequest):
        parse(text)


def test_a_range_that_runs_backwards_is_an_invalid_request():
    with pytest.raises(InvalidRequest, match="3-2 runs backwards"):
        parse("3-2")


@pytest.mark.parametrize("text", ["0", "10001", "0-5", "9999-10001", "999999", "1,10001"])
def test_a_part_beyond_the_upload_is_out_of_range(text):
    with pytest.raises(PartOutOfRange) as refused:
        parse(text)
    assert refused.value.context["part"] in (0, 10_001, 999_999)
    assert refused.value.context["num_parts"] == 10_000


@pytest.mark.parametrize(
    ("text", "asked"), [("1-1001", 1001), ("1-1000,7", 1001), ("1-600,1-600", 1200)]
)
def test_more_parts_than_one_answer_carries_are_too_many(text, asked):
    with pytest.raises(TooManyParts) as refused:
        parse(text)
    assert refused.value.context == {"asked": asked, "most": 1000}


def test_a_long_list_of_huge_ranges_is_refused_at_its_first_one():
    text = ",".join(["1-999999"] * 100_000)
    began = time.process_time()
    with pytest.raises(TooManyParts):
        parse(text, num_parts=999_999)
    assert time.process_time() - began < 0.5


@given(st.text() | st.text(alphabet="0123456789-, ") | st.from_regex(r"\d{1,5}(-\d{1,5})?"))
@example("1-2,\u0663")
def test_whatever_the_text_the_answer_is_parts_of_the_upload_or_a_documented_error(text):
    refusal = ""
    parts = [1]
    try:
        parts = parse(text, num_parts=100, most=50)
    except (InvalidRequest, PartOutOfRange, TooManyParts) as error:
        refusal = str(error)
    assert len(refusal) < 300
    assert 1 <= len(parts) == len(set(parts)) <= 50
    assert set(parts) <= set(range(1, 101))


def test_claims_of_exactly_the_planned_parts_are_right():
    check_claims(PLAN, claims(PLAN))


def test_a_claimed_part_that_was_not_planned_is_out_of_range():
    with pytest.raises(PartOutOfRange, match="no part 11"):
        check_claims(PLAN, {**claims(PLAN), 11: "x"})


def test_parts_left_out_of_the_claims_are_named():
    left = {part: etag for part, etag in claims(PLAN).items() if part not in (2, 3, 9)}
    with pytest.raises(MissingParts) as refused:
        check_claims(PLAN, left)
    assert refused.value.context == {"count": 3, "num_parts": 10, "parts": "2-3, 9"}
    assert [detail["field"] for detail in refused.value.errors] == ["parts.2", "parts.3", "parts.9"]


def test_all_parts_with_their_planned_sizes_are_right_with_and_without_claims():
    check_uploaded(PLAN, uploaded(PLAN))
    check_uploaded(PLAN, uploaded(PLAN), claims(PLAN))
    check_uploaded(PLAN, uploaded(PLAN), {1: ' "etag1" ', 2: 'W/"etag2"'})


def test_a_part_that_the_store_lacks_is_missing_whatever_is_claimed():
    with pytest.raises(MissingParts, match="1 of 10 parts are missing: 4"):
        check_uploaded(PLAN, uploaded(PLAN, {*range(1, 11)} - {4}), claims(PLAN))


def test_a_part_at_the_store_that_was_not_planned_is_out_of_range():
    with pytest.raises(PartOutOfRange, match="no part 11"):
        check_uploaded(PLAN, [*uploaded(PLAN), UploadedPart(11, 10, "x")])


def test_a_claim_of_a_part_that_was_not_planned_is_out_of_range():
    with pytest.raises(PartOutOfRange, match="no part 12"):
        check_uploaded(PLAN, uploaded(PLAN), {12: "x"})


@pytest.mark.parametrize(("part", "size"), [(1, 9), (1, 11), (10, 10), (10, 4), (10, 0)])
def test_a_part_of_the_wrong_size_is_named_with_both_sizes(part, size):
    found = [
        UploadedPart(p.part, size if p.part == part else p.size, p.etag) for p in uploaded(PLAN)
    ]
    with pytest.raises(PartSizeMismatch) as refused:
        check_uploaded(PLAN, found)
    (detail,) = refused.value.errors
    assert detail["field"] == f"parts.{part}"
    assert f"expected {PLAN.size_of(part)} bytes" in detail["message"]
    assert f"has {size}" in detail["message"]


def test_a_claimed_etag_that_is_not_the_stores_is_named_with_the_right_one():
    with pytest.raises(ETagMismatch) as refused:
        check_uploaded(PLAN, uploaded(PLAN), {**claims(PLAN), 7: "etag8"})
    (detail,) = refused.value.errors
    assert detail["field"] == "parts.7"
    assert detail["message"].endswith("etag7")


@pytest.mark.parametrize(
    ("found", "claimed", "error"),
    [
        pytest.param([], None, MissingParts, id="missing"),
        pytest.param(uploaded(PartPlan(9_999, 1, 10_000)), None, PartSizeMismatch, id="sizes"),
        pytest.param(
            uploaded(BIG), dict.fromkeys(range(1, 10_001), "no"), ETagMismatch, id="etags"
        ),
    ],
)
def test_errors_of_10000_parts_are_as_short_as_those_of_a_few(found, claimed, error):
    with pytest.raises(error) as refused:
        check_uploaded(BIG, found, claimed)
    assert len(refused.value.errors) == SHOWN
    assert len(str(refused.value)) < 500


def test_a_message_names_ranges_and_says_when_there_are_more():
    every_other = range(1, 2 * SHOWN + 2, 2)
    assert describe([3, 1, 2, 7]) == "1-3, 7"
    assert describe([]) == ""
    assert describe(range(1, 10_001)) == "1-10000"
    assert describe(every_other).endswith(f"{2 * SHOWN - 1} and more")
    assert describe(list(every_other)[:SHOWN]).endswith(f"{2 * SHOWN - 1}")


THREE = PartPlan(size=25, part_size=10, num_parts=3)
numbers = st.sampled_from([1, 2, 3]) | st.integers(-2, 5)
etags = st.sampled_from(["a", '"a"', "b"])


@given(
    st.lists(st.builds(UploadedPart, numbers, st.sampled_from([10, 5, 0]), etags), max_size=5),
    st.none() | st.dictionaries(numbers, etags),
)
@example(uploaded(THREE), {99: "x"})
@example(uploaded(THREE), {2: "etag2"})
def test_whatever_store_and_client_say_only_documented_errors_come_out(found, claimed):
    try:
        check_uploaded(THREE, found, claimed)
    except (MissingParts, PartOutOfRange, PartSizeMismatch, ETagMismatch):
        return
    assert {part.part: part.size for part in found} == {1: 10, 2: 10, 3: 5}
    assert set(claimed or {}) <= {1, 2, 3}
