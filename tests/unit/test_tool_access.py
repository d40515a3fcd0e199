# SPDX-FileCopyrightText: oarepo-s3 contributors
# SPDX-License-Identifier: MIT
"""What the configuration of a tool may be made of: no value that is read as more than one."""

from __future__ import annotations

import pytest

from oarepo_s3.core.tool_configs import ToolConfigError

from .test_tool_configs import VALUES, access


def test_no_secret_is_in_the_repr():
    shown = repr(access())
    assert VALUES["secret_key"] not in shown
    assert VALUES["token"] not in shown


@pytest.mark.parametrize("field", [name for name in VALUES if name != "expires_at"])
@pytest.mark.parametrize("bad", ["\n", "\r", "\0", "\x85", "\u2028", "\ud800"], ids=ascii)
def test_nothing_can_begin_a_line_of_its_own(field, bad):
    with pytest.raises(ToolConfigError, match=f"The {field} has") as refused:
        access(**{field: f"{VALUES[field]}{bad}[other]"})
    assert "[other]" not in str(refused.value)


@pytest.mark.parametrize("field", ["access_key", "secret_key", "token", "region", "endpoint_url"])
@pytest.mark.parametrize("bad", list("\"'`\\;#% é"), ids=ascii)
def test_nothing_is_read_as_a_quote_a_comment_or_a_variable(field, bad):
    with pytest.raises(ToolConfigError, match=f"The {field} has"):
        access(**{field: f"{VALUES[field]}{bad}"})


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"secret_key": ""}, "There is no secret_key"),
        ({"region": ""}, "There is no region"),
        ({"prefix": None}, "either"),
        ({"key": "a"}, "either"),
        ({"expires_at": "tomorrow"}, "no time"),
        ({"expires_at": "2030-01-31T12:00:00Z\n"}, "break lines"),
        ({"endpoint_url": "s3.example.org"}, "no address"),
        ({"endpoint_url": "ftp://s3.example.org"}, "no address"),
        ({"endpoint_url": "https://me:it@s3.example.org"}, "no address"),
    ],
)
def test_what_no_tool_could_be_configured_with_is_refused(values, words):
    with pytest.raises(ToolConfigError, match=words):
        access(**values)
