# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""Which characters of a file name are harmful, and which only look so."""

from __future__ import annotations

import pytest

from oarepo_s3.core.names import content_disposition, fit_name


@pytest.mark.parametrize(
    "character", [*"\0\t\n\r\x1b\x7f\x85", *"\u2028\u2029\u202e\u2066\ud800"], ids=ascii
)
def test_a_control_character_is_replaced(character):
    assert fit_name(f"a{character}b") == "a_b"


@pytest.mark.parametrize(
    "name",
    [
        "Screenshot 10.00.00\u202fAM.png",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645",
        "\U0001f469\u200d\U0001f52c.txt",
        "no\u00a0break",
        "\u5168\u89d2\u3000\u7a7a\u767d",
        "soft\u00adhyphen",
        "a;b\"c'd\\e/f?.txt",
    ],
    ids=["narrow space", "persian", "emoji", "no-break", "ideographic space", "hyphen", "ascii"],
)
def test_a_name_that_people_use_stays_as_it_is(name):
    assert fit_name(name) == name


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("data.csv", 'filename="data.csv"'),
        ("a b;c=d,(e).txt", 'filename="a b;c=d,(e).txt"'),
        ('a"b', "filename=\"a_b\"; filename*=UTF-8''a%22b"),
        ("a\\b", "filename=\"a_b\"; filename*=UTF-8''a%5Cb"),
        ("a%20b", "filename=\"a_20b\"; filename*=UTF-8''a%2520b"),
        ("a/b", "filename=\"a_b\"; filename*=UTF-8''a%2Fb"),
        ("r\u030c", "filename=\"r\"; filename*=UTF-8''r%CC%8C"),
        ("\uff02;x", "filename=\"_;x\"; filename*=UTF-8''%EF%BC%82%3Bx"),
        ("\u6570 (1)'*", "filename=\"_ (1)'*\"; filename*=UTF-8''%E6%95%B0%20%281%29%27%2A"),
        ("a\r\nb\u202e", 'filename="a__b_"'),
    ],
    ids=ascii,
)
def test_a_header_says_a_name_in_ascii_and_once_more_as_it_is(name, header):
    assert content_disposition("inline", name) == f"inline; {header}"


def test_without_a_name_a_header_says_none():
    assert content_disposition("attachment", "") == "attachment"
